/* Attention for `laip-bench ops`: the image encoder's (577 tokens an image, 12 heads of 64, two images), the
 * cross encoder's (captions of 27 tokens that read the images), and short phrases, packed. */
#include "bench/bench.h"
#include "net/sequences.h"

#include <stdio.h>

enum { HEADS = 12, HEAD = 64, WIDTH = HEADS * HEAD, TOKENS = 577, IMAGES = 2 };

typedef struct shape {
    const char *what;
    size_t sequences, length; /* queries; of phrases, 3 to 5 rows in turn when length is 0 */
    bool cross;               /* they read the images, in turn; else themselves */
} shape;

static const shape shapes[] = {{"self, 577 tokens, two images", IMAGES, TOKENS, false},
                               {"27-token captions on 577 keys, 32 of one image", 32, 27, true},
                               {"27-token captions, 32", 32, 27, false},
                               {"phrases of 3 to 5 tokens, 96", 96, 0, false},
                               {"phrases of 3 to 5 tokens on 577 keys, 12 of two images", 12, 0, true}};

typedef struct operands {
    laip_sequences tokens;
    laip_attention a;
    laip_mat q, kv, o, lse, dout, dq, dkv, scratch;
} operands;

static void lay_out(operands *o, laip_device *d, laip_plan *r, const shape *s, size_t rows, size_t blocks)
{
    size_t keys = s->cross ? blocks * TOKENS : rows, length = s->length ? s->length : 5;
    laip_sequences_plan(&o->tokens, r, s->sequences, rows, length, blocks);
    o->q = laip_plan_mat(r, rows, WIDTH);
    o->kv = laip_plan_mat(r, keys, (size_t)2 * WIDTH);
    o->o = laip_plan_mat(r, rows, WIDTH);
    o->lse = laip_plan_mat(r, rows, HEADS);
    o->dout = laip_plan_mat(r, rows, WIDTH);
    o->dq = laip_plan_mat(r, rows, WIDTH);
    o->dkv = laip_plan_mat(r, keys, (size_t)2 * WIDTH);
    o->scratch = laip_plan_mat(r, 1,
                               laip_attention_scratch(d, HEADS, HEAD, rows, s->cross ? blocks : s->sequences,
                                                      s->cross ? TOKENS : length));
}

static void forward(laip_device *d, void *context)
{
    const operands *o = context;
    laip_attention_forward(d, &o->a, o->o, o->lse, (laip_heads){o->q, 0}, (laip_heads){o->kv, 0},
                           (laip_heads){o->kv, WIDTH});
}

static void backward(laip_device *d, void *context)
{
    const operands *o = context;
    laip_attention_backward(d, &o->a,
                            &(laip_attention_gradients){.dq = {o->dq, 0},
                                                        .dk = {o->dkv, 0},
                                                        .dv = {o->dkv, WIDTH},
                                                        .dout = o->dout,
                                                        .q = {o->q, 0},
                                                        .k = {o->kv, 0},
                                                        .v = {o->kv, WIDTH},
                                                        .o = o->o,
                                                        .lse = o->lse,
                                                        .scratch = o->scratch});
}

static void both(laip_device *d, void *context)
{
    forward(d, context);
    backward(d, context);
}

static bool measure(const laip_bench_run *run, const shape *s, operands *o, laip_plan *r, laip_error *error)
{
    laip_device *d = run->device;
    size_t rows = 0, images = s->length ? 1 : IMAGES, blocks = s->cross ? images : 0;
    char name[128];
    for (size_t i = 0; i < s->sequences; i++)
        rows += s->length ? s->length : 3 + i % 3;
    lay_out(o, d, r, s, rows, blocks);
    if (!laip_plan_allocate(r, error))
        return false;
    lay_out(o, d, r, s, rows, blocks);
    laip_sequences_clear(&o->tokens);
    for (size_t i = 0; i < s->sequences; i++)
        laip_sequences_add(&o->tokens, s->length ? s->length : 3 + i % 3,
                           (int32_t)(i * images / s->sequences), i);
    laip_sequences_upload(&o->tokens, d, blocks, s->cross ? TOKENS : 0);
    laip_bench_fill(d, o->q);
    laip_bench_fill(d, o->kv);
    laip_bench_fill(d, o->dout);
    o->a = s->cross ? laip_sequences_cross(&o->tokens, s->sequences, HEADS, HEAD, 0)
                    : laip_sequences_self(&o->tokens, s->sequences, HEADS, HEAD, 0);
    const struct {
        const char *what;
        void (*work)(laip_device *, void *);
    } ways[] = {{"forward", forward}, {"backward", backward}, {"forward and backward", both}};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        snprintf(name, sizeof name, "attention, %s: %s", s->what, ways[i].what);
        if (!laip_bench_op(run, name, ways[i].work, o, error))
            return false;
    }
    return true;
}

bool laip_bench_attention(const laip_bench_run *run, laip_error *error)
{
    bool good = true;
    for (size_t i = 0; good && i < sizeof shapes / sizeof *shapes; i++) {
        operands o = {0};
        laip_plan *r = laip_plan_create(run->device, "attention");
        good = measure(run, &shapes[i], &o, r, error);
        laip_sequences_free(&o.tokens);
        laip_plan_free(r);
    }
    return good;
}

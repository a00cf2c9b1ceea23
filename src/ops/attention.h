/* Attention over packed sequences, without padding and without a matrix of scores in global memory.
 *
 *   O = dropout(softmax(Q Kᵀ/√d)) V for each head,   lse = log Σ_j exp(score_j)
 *
 * Query rows of sequence s are q_begin[s] … q_begin[s+1]−1; it reads the keys of block kv_of[s], whose rows
 * are k_begin[t] … k_begin[t+1]−1.  Several sequences may read one block: an image is read by its pair, its
 * negatives and its phrases.  block_sequences lists, block by block (from block_sequences_begin[t]), the
 * sequences that read it, in increasing order.
 *
 * The mask of probability (h, i, j) of sequence s is mask_bits(key, (h·n_q + i)·n_k + j) of cl/common.h, key
 * the first two numbers of the sequence's random stream (cl/philox.h): kept where that is at least
 * dropout·2³², scaled by 1/(1 − dropout), and made again in the backward. */
#ifndef LAIP_OPS_ATTENTION_H
#define LAIP_OPS_ATTENTION_H

#include "base/rng.h"
#include "device/buffer.h"
#include "device/device.h"
#include "ops/choices.h"

typedef struct laip_attention {
    int heads, head_size;     /* h, d */
    size_t sequences, blocks; /* S, T */
    size_t query_rows, key_rows;
    size_t longest_query, longest_block;
    laip_ints q_begin;               /* [S + 1] */
    laip_ints kv_of;                 /* [S] */
    laip_ints k_begin;               /* [T + 1] */
    laip_ints block_sequences_begin; /* [T + 1] */
    laip_ints block_sequences;       /* [S] */
    laip_ints ids;                   /* [2 S]: low and high words of the number of each one's random stream */
    laip_rng_key stream;             /* of the dropout's seed, step and site */
    float dropout;
    double score_count; /* Σ_s n_q(s) · n_k(kv_of[s]), for the count of operations */
} laip_attention;

/* Heads inside a matrix: head h of row r begins at m[r, col + h·d]. */
typedef struct laip_heads {
    laip_mat m;
    size_t col;
} laip_heads;

/* o [query_rows, h·d] and lse [query_rows, h] are assigned. */
void laip_attention_forward(laip_device *device, const laip_attention *a, laip_mat o, laip_mat lse,
                            laip_heads q, laip_heads k, laip_heads v);
/* Floats of scratch that the backward needs, for up to these sizes. */
size_t laip_attention_scratch(const laip_device *device, int heads, int head_size, size_t query_rows,
                              size_t blocks, size_t longest_block);
/* What the backward makes and reads.  dq, dk and dv are assigned in their columns only; keys that nobody
 * reads get zeros.  dk.m.mem NULL: neither dk nor dv is wanted, and then sequences beyond a->sequences may be
 * among the sequences of their block. */
typedef struct laip_attention_gradients {
    laip_heads dq, dk, dv;
    laip_mat dout;            /* [query_rows, h·d], of the output */
    laip_heads q, k, v;       /* as the forward had them, and what it made of them: */
    laip_mat o, lse, scratch; /* scratch: laip_attention_scratch floats */
} laip_attention_gradients;
void laip_attention_backward(laip_device *device, const laip_attention *a, const laip_attention_gradients *g);

/* Whether a graphics device has the local memory that tiles take which a group shares, for heads of this
 * size; else an item does a row of its own, which is slower by far. */
bool laip_attention_has_tiles(const laip_traits *traits, int head_size);

/* Measures, whatever was kept of them, which vectors the form for processors takes, keeps the best, and tells
 * report (NULL: none) each candidate's GFLOP/s.  Does nothing on other devices. */
bool laip_attention_tune(laip_device *device, laip_rate_report report, void *context, laip_error *error);
/* Whether value is one that serves on the device, of a class of ops/choices.h; own: the class is attention's.
 */
bool laip_attention_choice_valid(const laip_device *device, const char *class, const char *value, bool *own);

#endif

/* The pickle reader on programs written out here: what it reads of every protocol, and what it refuses. */
#include "support/test.h"

#include "store/pickle.h"
#include <stdio.h>
#include <string.h>

#define BYTES(text) text, sizeof text - 1

static laip_arena arena;

static const laip_pickle_node *read_all(const char *data, size_t size)
{
    laip_pickle p;
    laip_error error;
    assert_ok(laip_pickle_read(data, size, "file", 0, &arena, &p, &error), error);
    assert_int_equal(p.bytes, size);
    return p.root;
}

static void refused(const char *data, size_t size, const char *part)
{
    laip_pickle p;
    laip_error error = {.status = LAIP_OK};
    if (laip_pickle_read(data, size, "file", 100, &arena, &p, &error))
        fail_msg("read, expected: %s", part);
    assert_int_equal(error.status, LAIP_BAD_INPUT);
    if (!strstr(error.text, part) || !strstr(error.text, "file: byte "))
        fail_msg("'%s' is not in: %s", part, error.text);
}

static void numbers(void **state)
{
    (void)state;
    const struct {
        const char *data;
        size_t size;
        int64_t value;
    } cases[] = {{BYTES("K\xff."), 255},
                 {BYTES("M\x01\x02."), 513},
                 {BYTES("J\xfe\xff\xff\xff."), -2},
                 {BYTES("\x8a\x00."), 0},
                 {BYTES("\x8a\x01\x80."), -128},
                 {BYTES("\x8a\x02\xff\x00."), 255},
                 {BYTES("\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f."), INT64_MAX},
                 {BYTES("\x8b\x02\x00\x00\x00\x10\x27."), 10000},
                 {BYTES("I-12\n."), -12},
                 {BYTES("L77L\n."), 77}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const laip_pickle_node *n = read_all(cases[i].data, cases[i].size);
        assert_int_equal(n->kind, LAIP_PICKLE_INT);
        assert_int_equal(n->integer, cases[i].value);
    }
    assert_true(read_all(BYTES("G\x3f\xf8\0\0\0\0\0\0."))->real == 1.5);
    assert_true(read_all(BYTES("F-0.25\n."))->real == -0.25);
    assert_int_equal(read_all(BYTES("I01\n."))->kind, LAIP_PICKLE_BOOL);
    assert_int_equal(read_all(BYTES("\x88."))->integer, 1);
    assert_int_equal(read_all(BYTES("\x89."))->integer, 0);
    assert_int_equal(read_all(BYTES("N."))->kind, LAIP_PICKLE_NONE);
    const laip_pickle_node *big = read_all(BYTES("\x8a\x09\1\2\3\4\5\6\7\x08\x09."));
    assert_int_equal(big->kind, LAIP_PICKLE_BIG);
    assert_int_equal(big->length, 9);
}

static void strings(void **state)
{
    (void)state;
    assert_string_equal(read_all(BYTES("X\3\0\0\0abc."))->text, "abc");
    assert_string_equal(read_all(BYTES("\x8c\2hi."))->text, "hi");
    assert_string_equal(read_all(BYTES("U\1x."))->text, "x");
    assert_string_equal(read_all(BYTES("\x8d\1\0\0\0\0\0\0\0y."))->text, "y");
    assert_int_equal(read_all(BYTES("C\3a\0b."))->length, 3);
}

/* {"a": [1, (2, 3)], "b": []} with frame, memo and every way of adding. */
static void collections(void **state)
{
    (void)state;
    const laip_pickle_node *d = read_all(BYTES("\x80\4\x95\0\0\0\0\0\0\0\0}q\0(X\1\0\0\0a](K\1K\2K\3\x86"
                                               "eX\1\0\0\0b]q\1u."));
    assert_int_equal(d->length, 4);
    const laip_pickle_node *a = laip_pickle_get(d, "a");
    assert_int_equal(a->length, 2);
    assert_int_equal(a->items[1]->items[1]->integer, 3);
    assert_int_equal(laip_pickle_get(d, "b")->length, 0);
    assert_null(laip_pickle_get(d, "c"));
    assert_int_equal(read_all(BYTES("]K\1a."))->items[0]->integer, 1);
    assert_int_equal(laip_pickle_get(read_all(BYTES("}X\1\0\0\0kK\5s.")), "k")->integer, 5);
    assert_int_equal(read_all(BYTES("(K\1K\2l."))->length, 2);
    assert_int_equal(read_all(BYTES("(K\1K\2K\3t."))->length, 3);
    assert_int_equal(read_all(BYTES("(X\1\0\0\0kK\5d."))->length, 2);
    assert_int_equal(read_all(BYTES("K\1\x94K\2\x94\x86h\0\x86."))->items[1]->integer, 1);
    assert_int_equal(read_all(BYTES("K\1p0\n0g0\n."))->integer, 1);
    assert_int_equal(read_all(BYTES("K\1(K\2K\3"
                                    "1."))
                         ->integer,
                     1);
}

#define TENSOR(first, sizes, strides)                                                                        \
    "ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nFloatStorage\nX\1\0\0\0"                   \
    "5X\3\0\0\0cpuK\6tQK" first sizes strides "\x89}tR."

static void tensors(void **state)
{
    (void)state;
    const laip_pickle_node *n = read_all(BYTES(TENSOR("\1", "K\2K\2\x86", "K\3K\1\x86")));
    assert_int_equal(n->kind, LAIP_PICKLE_TENSOR);
    assert_int_equal(n->type, LAIP_F32);
    assert_int_equal(n->tensor->first, 1);
    assert_int_equal(n->tensor->shape[1], 2);
    assert_int_equal(n->tensor->stride[0], 3);
    assert_string_equal(n->tensor->storage->text, "5");
    refused(BYTES(TENSOR("\2", "K\2K\2\x86", "K\3K\1\x86")), "beyond the 6 elements");
    refused(BYTES(TENSOR("\0", "K\7\x85", "K\1\x85")), "beyond the 6 elements");
    refused(BYTES(TENSOR("\0", "K\7\x85", "K\1K\1\x86")), "other arguments");
    refused(BYTES(TENSOR("\0", "\x8a\x08\0\0\0\0\0\0\0\x40K\2\x86", "K\0K\0\x86")), "too many elements");
    refused(BYTES(TENSOR("\0", "\x8a\x01\xff\x85", "K\1\x85")), "no number from 0");
    assert_int_equal(read_all(BYTES(TENSOR("\0", "\x8a\x04\0\0\0\x01\x85", "K\0\x85")))->tensor->shape[0],
                     1 << 24);
    assert_int_equal(read_all(BYTES(TENSOR("\6", "K\0\x85", "K\1\x85")))->tensor->shape[0], 0);
}

static void names(void **state)
{
    (void)state;
    refused(BYTES("ccollections\nOrderedDict\nK\1\x85R."), "made of something else");
    refused(BYTES("X\1\0\0\0a)R."), "what is no name");
    refused(BYTES("ctorch._utils\n_rebuild_parameter\nK\1\x85R."), "a parameter of no tensor");
    refused(BYTES("K\1Q."), "no storage");
    refused(BYTES("K\1K\2b."), "state for what is no dict");
    refused(BYTES("(cos\n"), "without an end");
    refused(BYTES("K\1)\x81."), "an object of what is no type");
    refused(BYTES("(o."), "without a type");
    refused(BYTES("ios\nsystem\n."), "no mark");
    refused(BYTES("Pname\n."), "PERSID");
    refused(BYTES("\x80\6."), "protocol beyond 5");
    refused(BYTES("\xff"), "0xff");
}

#define CALL "X\4\0\0\0true\x85R"

/* The usual ways to have code run by who unpickles: each becomes the name of what it would have made. */
static void attacks(void **state)
{
    (void)state;
    const struct {
        const char *data;
        size_t size;
        const char *type;
    } cases[] = {
        {BYTES("cos\nsystem\n" CALL "."), "os.system"},
        {BYTES("\x8c\5posix\x8c\6system\x93" CALL "."), "posix.system"},
        {BYTES("cbuiltins\neval\n" CALL "."), "builtins.eval"},
        {BYTES("c__builtin__\nexec\n" CALL "."), "__builtin__.exec"},
        {BYTES("csubprocess\nPopen\n(X\2\0\0\0shlR."), "subprocess.Popen"},
        {BYTES("(S'x'\nios\nsystem\n."), NULL}, /* S: Python 2's strings; refused as an operation */
        {BYTES("(X\1\0\0\0xios\nsystem\n."), "os.system"},
        {BYTES("(cos\nsystem\nX\1\0\0\0xo."), "os.system"},
        {BYTES("crunpy\n_run_code\nX\1\0\0\0x\x85\x81."), "runpy._run_code"},
        {BYTES("cpty\nspawn\n)}\x92."), "pty.spawn"},
        {BYTES("cbuiltins\ngetattr\ncos\nsystem\nX\1\0\0\0x\x86RX\1\0\0\0y\x85R."), "builtins.getattr"},
        {BYTES("ctypes\nCodeType\n)\x81}X\1\0\0\0__setstate__b."), NULL},
        {BYTES("cweb\nX\n)\x81}X\1\0\0\0aK\1sb."), "web.X"},
        {BYTES("ccopyreg\n_reconstructor\n(cmy\nArgs\nc__builtin__\nobject\nNtR}b."), "my.Args"},
        {BYTES("ctorch._utils\n_rebuild_parameter\ncos\nsystem\n" CALL "\x85R."), "os.system"},
        {BYTES("ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nctorch\nTensor\n)}tR."),
         "torch._tensor._rebuild_from_type_v2"},
        {BYTES("\x82\7."), "extension 7"},
        {BYTES("cmy\nlist\n)R(K\1K\2e."), "my.list"},
        {BYTES("cmy\ndict\n)R(K\1K\2u."), "my.dict"},
        {BYTES("ctorch\nFloatStorage\n)R."), "torch.FloatStorage"},
        {BYTES("ca\x1b[31m\nb\n."), "a?[31m.b"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        if (!cases[i].type) {
            laip_pickle p;
            laip_error error;
            assert_false(laip_pickle_read(cases[i].data, cases[i].size, "file", 0, &arena, &p, &error));
            continue;
        }
        const laip_pickle_node *n = read_all(cases[i].data, cases[i].size);
        assert_int_equal(n->kind, LAIP_PICKLE_FOREIGN);
        assert_string_equal(n->text, cases[i].type);
        assert_int_equal(n->length, strlen(cases[i].type));
        assert_null(n->items);
        assert_null(n->tensor);
    }
}

/* Other ways to say what is known: pairs as Python 2 has them, an OrderedDict by NEWOBJ, a defaultdict, a
 * parameter with attributes, an unknown kind of storage. */
static void other_forms(void **state)
{
    (void)state;
    const laip_pickle_node *n = read_all(BYTES("ccollections\nOrderedDict\n]](X\1\0\0\0kK\5ea\x85R."));
    assert_int_equal(laip_pickle_get(n, "k")->integer, 5);
    n = read_all(BYTES("ccollections\nOrderedDict\n)\x81X\1\0\0\0kK\5s."));
    assert_int_equal(laip_pickle_get(n, "k")->integer, 5);
    n = read_all(BYTES("ccollections\ndefaultdict\ncbuiltins\nlist\n\x85RX\1\0\0\0kK\6s."));
    assert_int_equal(laip_pickle_get(n, "k")->integer, 6);
    refused(BYTES("ccollections\nOrderedDict\n]](K\1ea\x85R."), "entry 0 is no pair");
    n = read_all(BYTES("ctorch._utils\n_rebuild_tensor_v2\n((X\7\0\0\0storagectorch\nComplexFloatStorage\n"
                       "X\1\0\0\0005X\3\0\0\0cpuK\6tQK\0K\2\x85K\1\x85\x89}tR."));
    assert_int_equal(n->kind, LAIP_PICKLE_FOREIGN);
}

static void broken(void **state)
{
    (void)state;
    refused(BYTES("K"), "the end");
    refused(BYTES("X\xff\xff\xff\x7f"), "longer than the file");
    refused(BYTES("\x8d\xff\xff\xff\xff\xff\xff\xff\xff"), "longer than the file");
    refused(BYTES("\x8b\xff\xff\xff\xff"), "longer than the file");
    refused(BYTES("h\5."), "a reference to nothing");
    refused(BYTES("K\1r\xff\xff\xff\xff."), "a memo of more entries");
    refused(BYTES("."), "too few values");
    refused(BYTES("0."), "too few values");
    refused(BYTES("(0(\x85."), "too few values");
    refused(BYTES("K\1e."), "no mark");
    refused(BYTES("K\1(K\2e."), "does not take them");
    refused(BYTES("}K\1a."), "does not take them");
    refused(BYTES("}(K\1u."), "does not take them");
    refused(BYTES("(K\1d."), "a key and no value");
    refused(BYTES("I1x\n."), "no number");
    refused(BYTES("Fx\n."), "no number");
}

static int release(void **state)
{
    (void)state;
    laip_arena_free(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(numbers),     cmocka_unit_test(strings),
                                       cmocka_unit_test(collections), cmocka_unit_test(tensors),
                                       cmocka_unit_test(names),       cmocka_unit_test(broken),
                                       cmocka_unit_test(attacks),     cmocka_unit_test(other_forms)};
    return cmocka_run_group_tests(tests, NULL, release);
}

// SPDX-License-Identifier: MIT
#include "unit.h"
#include "core/error.h"
#include "core/web/versions.h"

#define SHA "2988860ca0858eca16a795399148fca95b649784"
#define SHA256 "00112233445566778899aabbccddeeffFFEEDDCCBBAA99887766554433221100"

static struct sdb_versions v;
static struct sdb_details_board board;

// The board that most tests are about.
static void a_board(void) {
    board = (struct sdb_details_board){
        .names = "esp32,ESP32_GENERIC_S3",
        .channel = "",
        .product = "",
        .id = "\x24\x0a\xc4\0\0\1",
        .id_len = 6,
        .today = 20270131,
    };
}

static int parse_as(const char *text, const char *current, bool force) {
    size_t len = strlen(text);
    int ends[2];
    for (int bytewise = 0; bytewise < 2; bytewise++) {
        sdb_versions_init(&v, current, NULL, force);
        sdb_versions_for(&v, &board);
        for (size_t i = 0; i < len; i += bytewise ? 1 : len) {
            assert_int_equal(sdb_versions_feed(&v, text + i, bytewise ? 1 : len), 0);
        }
        ends[bytewise] = sdb_versions_finish(&v);
    }
    assert_int_equal(ends[0], ends[1]);
    return ends[0];
}

static int parse(const char *text) {
    return parse_as(text, "1.0.0", false);
}

static void test_of_a_file(void **state) {
    (void)state;
    a_board();
    assert_int_equal(parse("# sdboot file=b.tar size=123904 sha256=" SHA256 "\r\n1.0.1;a.tar;" SHA
                           "\n1.0.2;b.tar;" SHA "\n"),
                     1);
    assert_string_equal(v.best.version, "1.0.2");
    assert_int_equal(v.best.size, 123904);
    assert_true(v.best.has_sha256);
    assert_memory_equal(v.best.sha256, "\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb", 12);
    assert_int_equal(v.best.sha256[31], 0);
    assert_int_equal(v.good, 2);
    assert_int_equal(v.bad, 0);

    // Nothing of it sticks to another one.
    assert_int_equal(parse("# sdboot file=a.tar size=9 sha256=" SHA256 "\n1.0.1;a.tar;" SHA
                           "\n1.0.2;b.tar;" SHA "\n"),
                     1);
    assert_int_equal(v.best.size, 0);
    assert_false(v.best.has_sha256);

    // SHA-256 is enough; without any hash it stays an error.
    assert_int_equal(parse("#sdboot file=a.tar sha256=" SHA256 "\n1.0.1;a.tar;\n"), 1);
    assert_int_equal(parse("#sdboot file=a.tar size=5\n1.0.1;a.tar;\n"), SDB_EVER_HASH);
}

static void test_comments_and_what_comes_later(void **state) {
    (void)state;
    a_board();
    const char *good[] = {
        "# sdboot",
        "# sdboot releases of my lamp",
        "# sdbootx seq=x",
        "# SDBOOT seq=x",
        "# sdboot file=a.tar later=00ff depends=x,y flag",
        "# sdboot channels=a boards=b seqs=x",
        "# sdboot seq=4294967295 expires=2027-01-31",
        "\t#\tsdboot\tseq=1 \t expires=9999-12-31\t",
        "# sdboot file=a.tar rollout=0\n# sdboot file=a.tar", // the last one counts
    };
    for (size_t i = 0; i < COUNT(good); i++) {
        UNIT_CASE(i);
        char text[300];
        snprintf(text, sizeof text, "%s\n1.0.1;a.tar;" SHA "\n", good[i]);
        assert_int_equal(parse(text), 1);
    }
}

static void test_what_can_not_be_read(void **state) {
    (void)state;
    a_board();
    const char *bad[] = {
        "seq=",
        "seq=0",
        "seq=-1",
        "seq=1x",
        "seq=4294967296",
        "seq=99999999999",
        "seq=1 seq=2",
        "expires=tomorrow",
        "expires=2027-1-1",
        "expires=2027-13-01",
        "expires=2027-00-01",
        "expires=2027-01-32",
        "expires=2027-01-00",
        "expires=0000-01-01",
        "expires=2027-01-01Z",
        "expires=2027-01-01 expires=2028-01-01",
        "product=",
        "product=a product=b",
        "file=",
        "file=a.tar file=b.tar",
        "size=5",
        "board=esp32",
        "file=a.tar size=0",
        "file=a.tar size=5k",
        "file=a.tar size=5 size=6",
        "file=a.tar sha256=" SHA,
        "file=a.tar sha256=" SHA256 "0",
        "file=a.tar sha256=g" SHA256,
        "file=a.tar sha256=" SHA256 " sha256=" SHA256,
        "file=a.tar board=",
        "file=a.tar channel=",
        "file=a.tar min=x",
        "file=a.tar min=",
        "file=a.tar rollout=101",
        "file=a.tar rollout=",
        "file=a.tar rollout=5%",
        "file=a.tar size=5 \x01",
        "file=a.tar size=5 \x7f",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        UNIT_CASE(i);
        char text[400];
        snprintf(text, sizeof text, "# sdboot %s\n1.0.1;a.tar;" SHA "\n", bad[i]);
        assert_int_equal(parse(text), SDB_EVER_LINE);
        snprintf(text, sizeof text, "1.0.1;a.tar;" SHA "\n# sdboot %s", bad[i]);
        assert_int_equal(parse(text), SDB_EVER_LINE);
    }
    // What a long line says at its end must not get lost.
    char text[600];
    int n = snprintf(text, sizeof text, "# sdboot file=a.tar x=");
    memset(text + n, 'x', 400);
    strcpy(text + SDB_VERSIONS_LINE_MAX, "\n1.0.1;a.tar;" SHA);
    assert_int_equal(parse(text), 1);
    memset(text + n, 'x', 400);
    strcpy(text + SDB_VERSIONS_LINE_MAX + 1, "\n1.0.1;a.tar;" SHA);
    assert_int_equal(parse(text), SDB_EVER_LINE);
}

static void test_not_for_this_board(void **state) {
    (void)state;
    const struct {
        const char *said;
        enum sdb_held why;
    } cases[] = {
        {"board=esp32", SDB_HELD_NOT},
        {"board=rp2,ESP32", SDB_HELD_NOT},
        {"board=esp32_generic_s3", SDB_HELD_NOT},
        {"board=rp2", SDB_HELD_BOARD},
        {"board=esp", SDB_HELD_BOARD},
        {"board=esp320", SDB_HELD_BOARD},
        {"board=ESP32_GENERIC", SDB_HELD_BOARD},
        {"board=,", SDB_HELD_BOARD},
        {"channel=beta", SDB_HELD_CHANNEL},
        {"channel=beta board=rp2", SDB_HELD_CHANNEL},
        {"board=rp2 channel=beta", SDB_HELD_BOARD},
        {"min=1.0.0", SDB_HELD_NOT},
        {"min=0.9", SDB_HELD_NOT},
        {"min=1.0.1", SDB_HELD_MIN},
        {"min=1.0.0-rc.1", SDB_HELD_NOT},
        {"rollout=0", SDB_HELD_ROLLOUT},
        {"rollout=100", SDB_HELD_NOT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        char text[300];
        a_board();
        snprintf(text, sizeof text, "# sdboot file=b.tar %s\n1.0.1;a.tar;" SHA "\n1.0.2;b.tar;" SHA,
                 cases[i].said);
        assert_int_equal(parse(text), 1);
        assert_int_equal(v.why, cases[i].why);
        assert_string_equal(v.best.version, cases[i].why == SDB_HELD_NOT ? "1.0.2" : "1.0.1");
        assert_string_equal(v.held, cases[i].why == SDB_HELD_NOT ? "" : "1.0.2");
        assert_int_equal(v.good, 2);
        // No news if something higher is there, or runs.
        strcat(text, "\n1.0.3;c.tar;" SHA);
        assert_int_equal(parse(text), 1);
        assert_string_equal(v.best.version, "1.0.3");
        assert_string_equal(v.held, "");
        if (cases[i].why != SDB_HELD_MIN) {
            assert_int_equal(parse_as(text, "1.0.3", false), 0);
            assert_string_equal(v.held, "");
        }
    }
    a_board();
    board.channel = "alpha,beta";
    assert_int_equal(parse("# sdboot file=a.tar channel=beta,dev\n1.0.1;a.tar;" SHA), 1);
    // Only a rollout can be forced.
    assert_int_equal(parse_as("#sdboot file=a.tar rollout=0\n1.0.1;a.tar;" SHA, "1", true), 1);
    assert_int_equal(parse_as("#sdboot file=a.tar board=rp2\n1.0.1;a.tar;" SHA, "1", true), 0);
    assert_int_equal(parse_as("#sdboot file=a.tar min=0.1\n1.0.1;a.tar;" SHA, "?", true), 0);
    // Nobody in particular asks: nothing is held.
    sdb_versions_init(&v, "1.0.0", NULL, false);
    const char *text = "# sdboot file=a.tar board=rp2 channel=x min=9 rollout=0 product=y\n"
                       "1.0.1;a.tar;" SHA;
    assert_int_equal(sdb_versions_feed(&v, text, strlen(text)), 0);
    assert_int_equal(sdb_versions_finish(&v), 1);
}

// The same version for several boards, each in a file of its own.
static void test_a_file_a_board(void **state) {
    (void)state;
    a_board();
    const char *text = "# sdboot file=p.tar board=rp2\n1.0.1;p.tar;" SHA "\n"
                       "# sdboot file=e.tar board=esp32\n1.0.1;e.tar;" SHA "\n"
                       "# sdboot file=s.tar board=stm32\n1.0.1;s.tar;" SHA "\n";
    assert_int_equal(parse(text), 1);
    assert_string_equal(v.best.file, "e.tar");
    assert_string_equal(v.held, "");
}

// All that is said may stand in front, of eight files; what is forgotten is no permission.
static void test_said_in_front(void **state) {
    (void)state;
    char text[4000];
    for (int count = 1; count <= 12; count++) {
        UNIT_CASE(count);
        size_t n = 0;
        for (int i = 1; i <= count; i++) {
            n += (size_t)sprintf(text + n, "# sdboot file=%d.tar size=%d board=%s\n", i, i,
                                 i == 1 ? "rp2" : "esp32");
        }
        for (int i = 2; i <= count; i++) {
            n += (size_t)sprintf(text + n, "1.0.%d;%d.tar;" SHA "\n", i, i);
        }
        sprintf(text + n, "1.1.0;1.tar;" SHA "\n");
        a_board();
        assert_int_equal(parse(text), count > 1);
        assert_string_equal(v.held, "1.1.0");
        assert_int_equal(v.why, count > SDB_DETAILS_FILES ? SDB_HELD_LOST : SDB_HELD_BOARD);
        if (count > 1) {
            assert_int_equal(v.best.size, count);
        }
    }
    // Any number of them, each in front of its own.
    size_t n = 0;
    for (int i = 1; i <= 40; i++) {
        n += (size_t)sprintf(text + n, "# sdboot file=%d.tar size=%d\n1.0.%d;%d.tar;" SHA "\n", i,
                             i, i, i);
    }
    assert_int_equal(parse(text), 1);
    assert_int_equal(v.best.size, 40);
    assert_false(v.details.lost);
}

static void test_product(void **state) {
    (void)state;
    const struct {
        const char *board;
        const char *list;
        int result;
    } cases[] = {
        {"", "", 1},
        {"", "product=lamp", 1},
        {"lamp", "product=lamp", 1},
        {"lamp", "product=Lamp,fan", 1},
        {"lamp,lamp-2", "product=lamp-2", 1},
        {"lamp", "product=lamp-2", SDB_EVER_PRODUCT},
        {"lamp", "product=lam", SDB_EVER_PRODUCT},
        {"lamp", "", SDB_EVER_PRODUCT},
        {"lamp", "seq=5", SDB_EVER_PRODUCT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        char text[200];
        a_board();
        board.product = cases[i].board;
        snprintf(text, sizeof text, "# sdboot %s\n1.0.1;a.tar;" SHA "\n", cases[i].list);
        assert_int_equal(parse(text), cases[i].result);
    }
    a_board();
    board.product = "lamp";
    assert_int_equal(parse(""), 0);
    assert_int_equal(parse("<html>\n"), SDB_EVER_GARBAGE);
}

static void test_old_and_expired(void **state) {
    (void)state;
    const char *text = "# sdboot seq=17 expires=2027-01-31\n1.0.1;a.tar;" SHA "\n";
    const struct {
        uint32_t floor;
        uint32_t today;
        int result;
    } cases[] = {
        {0, 0, 1},
        {17, 20270131, 1},
        {16, 20270130, 1},
        {18, 20270131, SDB_EVER_OLD},
        {UINT32_MAX, 0, SDB_EVER_OLD},
        {17, 20270201, SDB_EVER_EXPIRED},
        {0, 20280101, SDB_EVER_EXPIRED},
        {17, 0, 1}, // the clock is not set
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        UNIT_CASE(i);
        a_board();
        board.floor = cases[i].floor;
        board.today = cases[i].today;
        assert_int_equal(parse(text), cases[i].result);
        assert_int_equal(v.details.seq, 17);
    }
    // A list without a number after one with a number, be it empty.
    a_board();
    board.floor = 1;
    assert_int_equal(parse("1.0.1;a.tar;" SHA "\n"), SDB_EVER_OLD);
    assert_int_equal(parse(""), SDB_EVER_OLD);
}

// Each per cent more is devices more, none less; another version begins with other devices.
static void test_rollout(void **state) {
    (void)state;
    enum { DEVICES = 2000 };
    unsigned share[DEVICES];
    unsigned in[4] = {0};
    for (unsigned i = 0; i < DEVICES; i++) {
        const uint8_t id[6] = {0x24, 0x0a, 0xc4, 0, (uint8_t)(i >> 8), (uint8_t)i};
        share[i] = sdb_details_share(id, sizeof id, "0.0.2");
        unsigned next = sdb_details_share(id, sizeof id, "0.0.3");
        assert_true(share[i] < 100 && next < 100);
        in[0] += share[i] < 25;
        in[1] += next < 25;
        in[2] += share[i] < 25 && next < 25;
        in[3] += share[i] < 1;
    }
    assert_in_range(in[0], DEVICES / 4 - 80, DEVICES / 4 + 80);
    assert_in_range(in[1], DEVICES / 4 - 80, DEVICES / 4 + 80);
    assert_in_range(in[2], DEVICES / 16 - 50, DEVICES / 16 + 50);
    assert_in_range(in[3], 1, 45);
    // As boards in the field compute it: it must not change.
    assert_int_equal(sdb_details_share("\x24\x0a\xc4\0\0\1", 6, "0.0.2"), 56);
    assert_int_equal(share[1], 56);
    assert_int_equal(sdb_details_share("", 0, ""), 66);

    a_board();
    unsigned mine = sdb_details_share(board.id, board.id_len, "1.0.1");
    for (unsigned rollout = 0; rollout <= 100; rollout++) {
        UNIT_CASE(rollout);
        char text[200];
        snprintf(text, sizeof text, "# sdboot file=a.tar rollout=%u\n1.0.1;a.tar;" SHA, rollout);
        assert_int_equal(parse(text), mine < rollout);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_of_a_file),
        cmocka_unit_test(test_comments_and_what_comes_later),
        cmocka_unit_test(test_what_can_not_be_read),
        cmocka_unit_test(test_not_for_this_board),
        cmocka_unit_test(test_a_file_a_board),
        cmocka_unit_test(test_said_in_front),
        cmocka_unit_test(test_product),
        cmocka_unit_test(test_old_and_expired),
        cmocka_unit_test(test_rollout),
    };
    return cmocka_run_group_tests_name("details", tests, NULL, NULL);
}

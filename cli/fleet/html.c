// SPDX-License-Identifier: MIT
// One page with everything in it: no script, nothing from elsewhere.
#include <stdlib.h>
#include <string.h>

#include "cli/fleet/show.h"
#include "cli/tool.h"

#define BANDS 6     // releases with a colour of their own; the others share one
#define BUCKETS 160 // points of the plot at most
#define WIDE 1000   // units of its width
#define HIGH 300

static const char style[] =
    ":root{--bg:#fff;--fg:#1d2430;--dim:#5a6472;--line:#d8dde4;--good:#2a7d4f;--bad:#c0392b;"
    "--wait:#b9770e;--staged:#5b7db1;--c0:#2f6db5;--c1:#e08a1e;--c2:#3d9970;--c3:#8e5ea2;"
    "--c4:#c45850;--c5:#6b8e23;--c6:#9aa3ad}\n"
    "@media(prefers-color-scheme:dark){:root{--bg:#14181f;--fg:#e6e9ee;--dim:#9aa5b4;"
    "--line:#323a46;--good:#58b984;--bad:#ff7b6b;--wait:#e5b454;--staged:#8fb0e3;--c0:#5f9fe8;"
    "--c1:#f0a848;--c2:#62c39a;--c3:#bd93d0;--c4:#e8857d;--c5:#a3c25a;--c6:#717b88}}\n"
    "body{background:var(--bg);color:var(--fg);font:16px/1.45 system-ui,sans-serif;margin:0 auto;"
    "padding:1rem;max-width:68rem}h1{font-size:1.4rem;margin:.2rem 0}h2{font-size:1.1rem;"
    "margin:2rem 0 .6rem}.dim{color:var(--dim)}svg{display:block;width:100%}"
    ".wide{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.92rem}"
    "th,td{text-align:left;padding:.3rem .7rem .3rem 0;border-bottom:1px solid var(--line);"
    "vertical-align:top}th{color:var(--dim);font-weight:600}td.n,th.n{text-align:right}"
    ".key{display:inline-block;margin-right:1rem}.key i{display:inline-block;width:.8em;"
    "height:.8em;margin-right:.35em;border-radius:2px}.ends{display:flex;"
    "justify-content:space-between;font-size:.85rem;color:var(--dim)}.bad{color:var(--bad)}"
    ".good{color:var(--good)}.wait{color:var(--wait)}.row{margin:.7rem 0}"
    "td.id{font-family:ui-monospace,monospace}\n"
    "@media(max-width:40rem){body{padding:.7rem}.hide{display:none}"
    "th,td{padding-right:.5rem}td{overflow-wrap:anywhere}}\n";

static void put(FILE *out, const char *text) {
    for (; *text != '\0'; text++) {
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        default:
            putc(*text, out);
        }
    }
}

// ---- Which release ran on how many boards, over time --------------------------------------------

struct plot {
    int64_t from;     // hour of the first bucket
    int64_t hours;    // of a bucket
    unsigned buckets; // at least 2
    double *bands;    // [BANDS + 1][buckets]
    double most;
};

static unsigned band_of(const struct show *s, uint32_t release) {
    for (uint32_t i = 0; i < s->order_count && i < BANDS; i++) {
        if (s->order[i] == release) {
            return i;
        }
    }
    return BANDS;
}

static void plot_make(const struct show *s, struct plot *p) {
    const struct fleet *f = s->fleet;
    p->from = f->first / 3600;
    int64_t hours = f->last / 3600 - p->from + 1;
    p->hours = (hours + BUCKETS - 1) / BUCKETS;
    p->buckets = (unsigned)(hours / p->hours) + 1;
    p->buckets = p->buckets < 2 ? 2 : p->buckets;
    p->bands = tool_alloc((BANDS + 1) * p->buckets * sizeof *p->bands);
    p->most = 1;
    for (uint32_t r = 0; r < f->release_count; r++) {
        double *band = p->bands + band_of(s, r) * p->buckets;
        for (uint32_t i = 0; i < f->releases[r].point_count; i++) {
            const struct point *at = &f->releases[r].points[i];
            int64_t k = (at->hour - p->from) / p->hours;
            k = k < 0 ? 0 : k >= p->buckets ? p->buckets - 1 : k;
            band[k] += at->change;
        }
    }
    for (unsigned k = 0; k < p->buckets; k++) {
        double sum = 0;
        for (unsigned b = 0; b <= BANDS; b++) {
            double *band = p->bands + b * p->buckets;
            band[k] += k > 0 ? band[k - 1] : 0;
            sum += band[k] > 0 ? band[k] : 0;
        }
        p->most = sum > p->most ? sum : p->most;
    }
}

static void draw_band(FILE *out, const struct plot *p, double *floor, unsigned band) {
    const double *values = p->bands + band * p->buckets;
    double step = (double)WIDE / (p->buckets - 1);
    fprintf(out, "<path fill=\"var(--c%u)\" d=\"M", band);
    for (unsigned k = p->buckets; k-- > 0;) {
        fprintf(out, "%.1f %.1f ", k * step, HIGH - floor[k] / p->most * HIGH);
    }
    for (unsigned k = 0; k < p->buckets; k++) {
        floor[k] += values[k] > 0 ? values[k] : 0;
        fprintf(out, "L%.1f %.1f ", k * step, HIGH - floor[k] / p->most * HIGH);
    }
    fputs("Z\"/>\n", out);
}

static void key(FILE *out, const char *colour, const char *text) {
    fprintf(out, "<span class=key><i style=\"background:var(--%s)\"></i>", colour);
    put(out, text);
    fputs("</span>", out);
}

static void draw_time(FILE *out, const struct show *s) {
    const struct fleet *f = s->fleet;
    struct plot p;
    if (f->board_count == 0 || f->last == 0) {
        return;
    }
    plot_make(s, &p);
    double *floor = tool_alloc(p.buckets * sizeof *floor);
    fprintf(out,
            "<h2>Boards by release</h2>\n<div class=ends><span>%.0f boards</span></div>\n"
            "<svg viewBox=\"0 0 %d %d\" height=\"240\" preserveAspectRatio=\"none\" role=\"img\" "
            "aria-label=\"Boards by the release they run, over time\">\n",
            p.most, WIDE, HIGH);
    for (unsigned b = BANDS + 1; b-- > 0;) {
        draw_band(out, &p, floor, b);
    }
    fprintf(out,
            "<path d=\"M0 %d H%d\" stroke=\"var(--line)\" stroke-width=\"2\" "
            "vector-effect=\"non-scaling-stroke\"/></svg>\n<div class=ends><span>%s</span>"
            "<span>%s</span></div>\n<p>",
            HIGH, WIDE, show_time(f->first), show_time(f->last));
    for (uint32_t i = 0; i < s->order_count && i < BANDS; i++) {
        char colour[8];
        snprintf(colour, sizeof colour, "c%u", i);
        key(out, colour, f->releases[s->order[i]].version);
    }
    if (s->order_count > BANDS || f->releases[0].running > 0) {
        key(out, "c6", "others");
    }
    fputs("</p>\n", out);
    free(floor);
    free(p.bands);
}

// ---- Each release -------------------------------------------------------------------------------

static void draw_release(FILE *out, const struct release *r) {
    const struct {
        const char *colour;
        uint32_t count;
    } parts[] = {
        {"good", r->confirmed}, {"wait", r->trial}, {"staged", r->staged}, {"bad", r->failed}};
    uint32_t total = r->confirmed + r->trial + r->staged + r->failed;
    double at = 0;
    fputs("<div class=row><div><b>", out);
    put(out, r->version);
    fprintf(out, "</b> <span class=dim>runs on %u", r->running);
    if (r->rollout >= 0) {
        fprintf(out, "; rollout %d %%: %u of %u boards have it", r->rollout, r->planned_have,
                r->planned);
    }
    fputs("</span>", out);
    if (r->stuck > 0) {
        fprintf(out, " <span class=bad>%u stuck</span>", r->stuck);
    }
    fprintf(out,
            "</div>\n<svg viewBox=\"0 0 %d 14\" height=\"14\" preserveAspectRatio=\"none\" "
            "role=\"img\" aria-label=\"%u confirmed, %u on trial, %u staged, %u took it back\">"
            "<rect width=\"%d\" height=\"14\" fill=\"var(--line)\"/>",
            WIDE, r->confirmed, r->trial, r->staged, r->failed, WIDE);
    for (size_t i = 0; i < sizeof parts / sizeof *parts && total > 0; i++) {
        double width = (double)parts[i].count / total * WIDE;
        fprintf(out, "<rect x=\"%.2f\" width=\"%.2f\" height=\"14\" fill=\"var(--%s)\"/>", at,
                width, parts[i].colour);
        at += width;
    }
    fprintf(out,
            "</svg><div class=dim>%u confirmed, %u on trial, %u staged, %u took it back</div>"
            "</div>\n",
            r->confirmed, r->trial, r->staged, r->failed);
}

static void put_board(FILE *out, const struct fleet *f, const struct board *b) {
    const char *colour = b->event == AGENT_FAILED || b->stuck ? "bad"
                         : b->event == AGENT_CONFIRMED        ? "good"
                         : b->event == AGENT_TRIAL            ? "wait"
                                                              : "dim";
    char name[AGENT_FIELD];
    fleet_name(b->id, name);
    fputs("<tr><td class=id>", out);
    put(out, name);
    fputs("</td><td class=hide>", out);
    put(out, fleet_text(f, b->platform));
    fputs("</td><td>", out);
    put(out, fleet_version(f, b->running));
    fprintf(out, "</td><td>%s</td><td class=%s>%s ", show_time(b->last), colour,
            fleet_event(b->event));
    if (b->version != 0) {
        put(out, fleet_version(f, b->version));
    }
    if (b->reason != 0) {
        fputs(": ", out);
        put(out, fleet_text(f, b->reason));
    }
    fputs(b->stuck ? " (stuck)</td></tr>\n" : "</td></tr>\n", out);
}

void show_html(const struct show *s, FILE *out) {
    const struct fleet *f = s->fleet;
    fprintf(out,
            "<!doctype html>\n<html lang=en><meta charset=utf-8>\n"
            "<meta name=viewport content=\"width=device-width,initial-scale=1\">\n"
            "<meta name=color-scheme content=\"light dark\">\n"
            "<title>%u boards</title>\n<style>%s</style>\n<h1>%u boards</h1>\n"
            "<p class=dim>%s to %s (UTC). %llu requests; %u boards are stuck, %u were not seen for "
            "%lld hours, %llu requests say nothing of their board.</p>\n",
            f->board_count, style, f->board_count, show_time(f->first), show_time(f->last),
            (unsigned long long)f->ours, f->stuck, f->gone, (long long)f->gone_after / 3600,
            (unsigned long long)(f->silent + f->broken));
    if (s->verdict != NULL) {
        fprintf(out, "<p><b class=%s>%s</b>: ", s->verdict, s->verdict);
        put(out, s->why);
        fputs("</p>\n", out);
    }
    draw_time(out, s);
    fputs("<h2>Releases</h2>\n", out);
    for (uint32_t i = 0; i < s->order_count; i++) {
        draw_release(out, &f->releases[s->order[i]]);
    }
    fputs("<p>", out);
    key(out, "good", "confirmed");
    key(out, "wait", "on trial");
    key(out, "staged", "staged");
    key(out, "bad", "took it back");
    fputs("</p>\n<h2>Boards</h2>\n<div class=wide><table><tr><th>Board<th class=hide>Kind<th>Runs"
          "<th>Last seen<th>Last event</tr>\n",
          out);
    for (uint32_t i = 0; i < f->board_count && i < s->boards; i++) {
        put_board(out, f, &f->boards[i]);
    }
    fputs("</table></div>\n", out);
    if (f->board_count > s->boards) {
        fprintf(out, "<p class=dim>and %u more, without trouble.</p>\n",
                f->board_count - s->boards);
    }
    fputs("</html>\n", out);
}

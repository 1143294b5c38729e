// SPDX-License-Identifier: MIT
// make torture: every scenario on every volume, in as many processes as asked for.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "explore.h"
#include "try.h"

static void run_one(const struct scenario *scenario, unsigned volume, const struct options *opt,
                    struct totals *totals) {
    static struct job job;
    memset(&job, 0, sizeof job);
    try_failed[0] = '\0';
    job.scenario = scenario;
    job.volume_index = volume;
    job.opt = *opt;
    job.totals = totals;
    volume_nth(volume, &job.vol);
    if (scenario_on(job.scenario, &job.vol)) {
        job.vol.lfs_block ? lfs_job_run(&job) : job_run(&job);
    }
}

static void run_share(unsigned part, unsigned parts, unsigned stride, const struct options *opt,
                      struct totals *totals) {
    struct volume v;
    unsigned n = 0;
    for (unsigned volume = 0; volume_nth(volume, &v); volume++) {
        for (unsigned s = 0; s < scenario_count; s++, n++) {
            // A slice takes other volumes for each scenario.
            bool lfs = volume >= FAT_VOLUMES;
            if ((lfs ? false : (volume + s * 7) % stride != 0) ||
                (lfs ? s + volume : n / stride) % parts != part ||
                (opt->only && !strstr(scenarios[s].name, opt->only) &&
                 !strstr(v.name, opt->only))) {
                continue;
            }
            run_one(&scenarios[s], volume, opt, totals);
            if (opt->stop && totals->failures > 0) {
                return;
            }
        }
    }
}

static int usage(void) {
    fputs("usage: torture [-j processes] [-s stride] [-b budget] [-o scenario] [-r token] [-1] "
          "[-v]\n",
          stderr);
    return 2;
}

int main(int argc, char **argv) {
    struct options opt = {0};
    unsigned processes = 1;
    unsigned stride = 1;
    int c;
    while ((c = getopt(argc, argv, "j:s:b:o:r:1v")) != -1) {
        switch (c) {
        case 'j':
            processes = (unsigned)atoi(optarg);
            break;
        case 's':
            stride = (unsigned)atoi(optarg);
            break;
        case 'b':
            opt.budget = strtoull(optarg, NULL, 10);
            break;
        case 'o':
            opt.only = optarg;
            break;
        case 'r':
            opt.replay = optarg;
            break;
        case '1':
            opt.stop = true;
            break;
        case 'v':
            opt.verbose = true;
            break;
        default:
            return usage();
        }
    }
    opt.stride = stride;
    if (optind != argc || processes == 0 || stride == 0) {
        return usage();
    }
    time_t begin = time(NULL);
    struct totals *shares = mmap(NULL, processes * sizeof *shares, PROT_READ | PROT_WRITE,
                                 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct totals all = {0};
    if (opt.replay) {
        char name[64];
        unsigned volume;
        const struct scenario *scenario = NULL;
        bool token = sscanf(opt.replay, "%63[^.].%u.", name, &volume) == 2;
        for (unsigned s = 0; token && s < scenario_count; s++) {
            scenario = strcmp(scenarios[s].name, name) == 0 ? &scenarios[s] : scenario;
        }
        if (scenario == NULL) {
            return usage();
        }
        run_one(scenario, volume, &opt, &shares[0]);
    } else {
        for (unsigned i = 0; i < processes; i++) {
            if (fork() == 0) {
                run_share(i, processes, stride, &opt, &shares[i]);
                exit(0);
            }
        }
        for (unsigned i = 0; i < processes; i++) {
            int status;
            if (wait(&status) < 0 || status != 0) {
                printf("a process died\n");
                all.failures++;
            }
        }
    }
    for (unsigned i = 0; i < processes; i++) {
        all.cases += shares[i].cases;
        all.distinct += shares[i].distinct;
        all.failures += shares[i].failures;
        all.fsck += shares[i].fsck;
        all.errors += shares[i].errors;
        all.foreign += shares[i].foreign;
    }
    printf("of these I/O errors %llu; also seen by fsck.fat %llu, changed on a PC %llu\n",
           (unsigned long long)all.errors, (unsigned long long)all.fsck,
           (unsigned long long)all.foreign);
    printf("torture: cases=%llu distinct=%llu failures=%llu seconds=%ld\n",
           (unsigned long long)all.cases, (unsigned long long)all.distinct,
           (unsigned long long)all.failures, (long)(time(NULL) - begin));
    return all.failures != 0;
}

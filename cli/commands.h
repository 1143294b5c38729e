// SPDX-License-Identifier: MIT
// The commands of the host tool. Each gets its own arguments, argv[0] being its name, and returns
// an exit code (tool.h).
#ifndef SDBOOT_COMMANDS_H
#define SDBOOT_COMMANDS_H

int command_release(int argc, char **argv);
int command_verify(int argc, char **argv);
int command_keygen(int argc, char **argv);
int command_sign(int argc, char **argv);
int command_card(int argc, char **argv);
int command_image(int argc, char **argv);
int command_sim(int argc, char **argv);
int command_serve(int argc, char **argv);
int command_rollout(int argc, char **argv);
int command_withdraw(int argc, char **argv);
int command_fleet(int argc, char **argv);

#endif

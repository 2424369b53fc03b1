#include "node/cli/commands.h"

int main(int argc, char** argv) { return walden::RunWalden(argc, argv); }

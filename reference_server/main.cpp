#include "reference_server/server.h"

int main(int argc, char** argv) { return roomcheck::reference_server::run(argc, argv); }

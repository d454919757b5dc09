#include "conformance/app.h"

int main(int argc, char** argv) { return roomcheck::conformance::run(argc, argv); }

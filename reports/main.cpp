#include "reports/report.h"

int main(int argc, char** argv) { return roomcheck::reports::run(argc, argv); }

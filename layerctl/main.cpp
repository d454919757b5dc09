#include "layerctl/layerctl.h"

int main(int argc, char** argv) { return roomcheck::layerctl::run(argc, argv); }

#pragma once

namespace roomcheck::layerctl {

// The channel layer's command line: the seed's console, for pipelines.
int run(int argc, char** argv);

}  // namespace roomcheck::layerctl

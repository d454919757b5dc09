// Writes results as the browser test needs them, into a folder: report_samples DIRECTORY
#include <cstdio>
#include <string>

#include "libs/base/result.h"
#include "libs/program/files.h"
#include "reports/samples/samples.h"

using namespace roomcheck;
using namespace roomcheck::reports;
using namespace roomcheck::reports::samples;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const std::string directory = std::string(argv[1]) + "/";
  LoadResult invalid = sample_load();
  invalid.valid = false;
  invalid.latency["fan_out"] = sample_run(3, 1).latency["fan_out"];
  invalid.latency["fan_out"].uncorrected = sample_run(2, 1).latency["fan_out"].corrected;
  invalid.invalid_because = {"1.1 % of the sends left more than 1 ms late"};
  LoadResult idle;
  idle.series = {{0, "run", 1, 0, 0, 0, 0, 0, ""}};
  idle.latency["fan_out"].corrected.record(std::chrono::milliseconds(1));
  ConformanceResult passed = sample_conformance();
  passed.verdict = "pass";
  for (CaseResult& c : passed.cases) c.verdict = Verdict::pass;
  try {
    write_file(directory + "load.json", to_json(sample_load()).dump());
    write_file(directory + "invalid.json", to_json(invalid).dump());
    write_file(directory + "idle.json", to_json(idle).dump());
    write_file(directory + "conformance.json", to_json(sample_conformance()).dump());
    for (int i = 0; i < 6; ++i) {
      write_file(directory + "base" + std::to_string(i) + ".json", to_json(sample_run(1, i)).dump());
      write_file(directory + "slow" + std::to_string(i) + ".json", to_json(sample_run(1.3, 10 + i)).dump());
    }
    write_file(directory + "partial.json", to_json(sample_partial()).dump());
    write_file(directory + "passed.json", to_json(passed).dump());
  } catch (const StartFailure& e) {
    std::fprintf(stderr, "report_samples: %s\n", e.what());
    return 3;
  }
  return 0;
}

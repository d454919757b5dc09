// Drives a fuzz target without libFuzzer: FOLDER [SECONDS [SEED]]. Every file of the folder is tried as it
// is; then changed copies, until the time is over. Prints how many were tried. On a crash the input stands in
// the file crash-input of the working folder.
#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/fuzz.h"

namespace {

namespace fs = std::filesystem;

std::string current;

void keep_and_die(int number) {
  std::signal(number, SIG_DFL);
  const int file = ::open("crash-input", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  (void)!::write(file, current.data(), current.size());
  std::raise(number);
}

void attempt(std::string input) {
  current = std::move(input);
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(current.data()), current.size());
}

std::string changed(const std::vector<std::string>& seeds, std::mt19937_64& random) {
  std::string out = seeds[random() % seeds.size()];
  for (std::uint64_t i = 1 + random() % 4; i > 0; --i) {
    const std::size_t at = out.empty() ? 0 : random() % out.size();
    switch (random() % 5) {
      case 0:
        if (!out.empty()) out[at] = static_cast<char>(random());
        break;
      case 1:
        out.insert(at, 1 + random() % 8, static_cast<char>(random()));
        break;
      case 2:
        out.erase(at, 1 + random() % 8);
        break;
      case 3:
        out.resize(at);
        break;
      default: {  // the end of another
        const std::string& other = seeds[random() % seeds.size()];
        out = out.substr(0, at) + other.substr(other.empty() ? 0 : random() % other.size());
      }
    }
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return std::cerr << "usage: " << argv[0] << " FOLDER [SECONDS [SEED]]\n", 2;
  std::vector<std::string> seeds;
  for (const auto& entry : fs::directory_iterator(argv[1])) {
    std::ifstream in(entry.path(), std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  if (seeds.empty()) return std::cerr << argv[1] << " has no seeds\n", 2;
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) std::signal(number, keep_and_die);
  for (const std::string& seed : seeds) attempt(seed);
  std::mt19937_64 random(argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
  const auto end =
      std::chrono::steady_clock::now() + std::chrono::duration<double>(argc > 2 ? std::atof(argv[2]) : 0);
  std::uint64_t tried = seeds.size();
  for (; std::chrono::steady_clock::now() < end; ++tried) attempt(changed(seeds, random));
  std::cout << tried << " inputs\n";
}

// main of a target that is built without libFuzzer: runs every file of the corpus, then changes of them for some seconds, always the
// same ones. An input that kills the process is left in the file that it names at the start.
//
//   fuzz_copy [--seconds N] [--seed N] FILE_OR_FOLDER ...
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "tests/fuzz/fuzz_input.h"

namespace {

using Input = std::vector<uint8_t>;

Input ReadInput(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

void Collect(const std::filesystem::path& path, std::vector<Input>* inputs) {
  if (std::filesystem::is_directory(path)) {
    std::vector<std::filesystem::path> files(std::filesystem::directory_iterator(path), {});
    std::sort(files.begin(), files.end());
    for (const auto& file : files) Collect(file, inputs);
  } else {
    inputs->push_back(ReadInput(path));
  }
}

// One to eight small changes: flipped, boundary and random bytes, removed and repeated pieces, pieces of another input.
class Mutator {
 public:
  Mutator(const std::vector<Input>& corpus, uint64_t seed) : corpus_(corpus), random_(seed) {}

  Input Next() {
    Input input = corpus_[Below(corpus_.size())];
    for (size_t changes = 1 + Below(8); changes > 0; --changes) Change(&input);
    return input;
  }

 private:
  size_t Below(size_t limit) { return limit == 0 ? 0 : random_() % limit; }

  void Change(Input* input) {
    size_t at = Below(input->size() + 1);
    auto position = input->begin() + static_cast<ptrdiff_t>(at);
    size_t length = std::min(input->size() - at, 1 + Below(16));
    auto end = position + static_cast<ptrdiff_t>(length);
    static constexpr uint8_t kBoundaries[] = {0, 1, 0x7f, 0x80, 0xff, 0xfe, '\n', '\\', '"', '\''};
    switch (Below(6)) {
      case 0:
        if (length > 0) *position ^= static_cast<uint8_t>(1u << Below(8));
        break;
      case 1:
        if (length > 0) *position = kBoundaries[Below(std::size(kBoundaries))];
        break;
      case 2: input->insert(position, static_cast<uint8_t>(random_())); break;
      case 3: input->erase(position, end); break;
      case 4: {
        Input piece(position, end);
        input->insert(position, piece.begin(), piece.end());
        break;
      }
      default: {
        const Input& other = corpus_[Below(corpus_.size())];
        size_t from = Below(other.size() + 1);
        size_t size = std::min(other.size() - from, 1 + Below(64));
        input->insert(position, other.begin() + static_cast<ptrdiff_t>(from),
                      other.begin() + static_cast<ptrdiff_t>(from + size));
      }
    }
    if (input->size() > kMaxBytes) input->resize(kMaxBytes);
  }

  static constexpr size_t kMaxBytes = 64 * 1024;
  const std::vector<Input>& corpus_;
  std::mt19937_64 random_;
};

}  // namespace

int main(int argc, char** argv) {
  double seconds = 0;
  uint64_t seed = 1;
  std::vector<Input> corpus;
  for (int i = 1; i < argc; ++i) {
    std::string_view argument = argv[i];
    if (argument == "--seconds" && i + 1 < argc) {
      seconds = std::atof(argv[++i]);
    } else if (argument == "--seed" && i + 1 < argc) {
      seed = std::strtoull(argv[++i], nullptr, 10);
    } else {
      Collect(std::filesystem::absolute(argument), &corpus);
    }
  }
  if (corpus.empty()) {
    std::fprintf(stderr, "%s: no inputs\n", argv[0]);
    return 2;
  }
  std::string last = "/tmp/" + std::filesystem::path(argv[0]).filename().string() + "." +
                     std::to_string(getpid()) + ".input";
  std::printf("the input being run is in %s\n", last.c_str());
  LLVMFuzzerInitialize(&argc, &argv);
  std::FILE* record = std::fopen(last.c_str(), "wb+");
  if (record == nullptr) return 2;
  auto run = [&](const Input& input) {
    if (std::fseek(record, 0, SEEK_SET) != 0) std::abort();
    std::fwrite(input.data(), 1, input.size(), record);
    std::fflush(record);
    if (ftruncate(fileno(record), static_cast<off_t>(input.size())) < 0) std::exit(2);
    LLVMFuzzerTestOneInput(input.data(), input.size());
  };
  for (const Input& input : corpus) run(input);
  auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
  Mutator mutator(corpus, seed);
  uint64_t changed = 0;
  for (; std::chrono::steady_clock::now() < end; ++changed) run(mutator.Next());
  std::printf("%zu inputs of the corpus, %llu changed ones\n", corpus.size(),
              static_cast<unsigned long long>(changed));
  std::fclose(record);
  std::filesystem::remove(last);
  return 0;
}

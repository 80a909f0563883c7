// simdjson.cpp - the same values by simdjson On-Demand, building nothing. Usage: simdjson again|once FILE... ; prints the faster of two passes
// over all files, or the only one. FILE.want says which cells are wanted; see fields.lua.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <simdjson.h>
#include <string>
#include <string_view>
#include <vector>

using namespace simdjson;

enum Kind { UNWANTED, TEXT, NUMBER };

struct Answer {
  padded_string text;
  std::vector<Kind> cells; // by place
};

struct Sums {
  uint64_t rows = 0, seen = 0;
};

static Answer load(const char *path) {
  Answer answer{padded_string::load(path), {}};
  std::ifstream wanted(std::string(path) + ".want");
  size_t cell;
  std::string name, kind;
  while (wanted >> cell >> name >> kind) {
    answer.cells.resize(cell + 1, UNWANTED);
    answer.cells[cell] = kind == "number" ? NUMBER : TEXT;
  }
  return answer;
}

// A null is not counted.
static void take(Sums &sums, ondemand::value value, Kind kind) {
  std::string_view text;
  uint64_t number;
  if (kind == TEXT && value.get_string().get(text) == SUCCESS)
    sums.seen += text.size();
  else if (kind == NUMBER && (value.get_uint64_in_string().get(number) == SUCCESS || value.get_uint64().get(number) == SUCCESS))
    sums.seen += number;
}

static void extract(Sums &sums, ondemand::parser &parser, const Answer &answer) {
  const size_t count = answer.cells.size();
  ondemand::document document = parser.iterate(answer.text);
  for (ondemand::array row : document["report"]["table"]["inbound"]["rows"]) {
    size_t cell = 0;
    for (ondemand::object object : row) {
      if (answer.cells[cell] != UNWANTED)
        take(sums, object["rawValue"], answer.cells[cell]);
      if (++cell == count)
        break;
    }
    sums.rows++;
  }
}

int main(int argc, char **argv) {
  std::vector<Answer> answers;
  ondemand::parser parser;
  double best = 0;
  Sums sums;
  if (argc < 3)
    return 64;
  for (int i = 2; i < argc; i++)
    answers.push_back(load(argv[i]));
  for (int pass = 0; pass < (std::strcmp(argv[1], "once") == 0 ? 1 : 2); pass++) {
    clock_t before = clock();
    sums = {};
    for (const Answer &answer : answers)
      extract(sums, parser, answer);
    double seconds = double(clock() - before) / CLOCKS_PER_SEC;
    if (pass == 0 || seconds < best)
      best = seconds;
  }
  std::printf("%.6f %llu %llu %s\n", best, (unsigned long long)sums.rows, (unsigned long long)sums.seen,
              get_active_implementation()->name().c_str());
}

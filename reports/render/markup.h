#pragma once
#include <cstdint>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libs/stats/histogram.h"

namespace roomcheck::reports {

// Text as it may stand between tags and in quoted attributes.
std::string escape(std::string_view text);

// "1.53 ms"; for the nanoseconds of a result file.
std::string duration(std::int64_t ns);
// "3.4 %"
std::string percent(double fraction);

// One cell of a table: shown text (already markup, escape() it), and what to sort by when that is another
// thing.
struct Cell {
  Cell(std::string markup) : html(std::move(markup)) {}
  Cell(const char* markup) : html(markup) {}
  Cell(std::string markup, std::int64_t sort_by)
      : html(std::move(markup)), sort(std::to_string(sort_by)), number(true) {}

  std::string html;
  std::string sort;
  bool number = false;
};
Cell count_cell(std::uint64_t count);
Cell time_cell(std::int64_t ns);

struct Table {
  std::vector<std::string> heads;  // already markup
  std::vector<std::vector<Cell>> rows;
  bool sortable = false;
};
// In a box that scrolls on its own, so that the page never does.
std::string render(const Table& table);

// "name: value" pairs.
std::string definition_list(const std::map<std::string, std::string>& pairs);

// What to call the files of a page: their names without the folders, unless two would then be the same.
std::vector<std::string> short_names(const std::vector<std::string>& paths);

std::string unfold(const std::string& summary_html, const std::string& body_html);
std::string list_of_text(const std::vector<std::string>& sentences);
std::string code_block(std::string_view text);
// What matters of a histogram, as a row's cells: count, p50, p90, p99, p99.9, max.
std::vector<Cell> percentile_cells(const stats::Histogram& histogram);

}  // namespace roomcheck::reports

#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "reports/model/read.h"
#include "reports/render/html.h"

namespace roomcheck::reports {

// A pull-request comment of GitHub holds 65,536 characters, one of GitLab 1,000,000.
constexpr std::size_t kMarkdownLimit = 60'000;

// Text as it may stand in a paragraph or a table cell: no markup, no line break.
std::string escape_markdown(std::string_view text);
// `text`, as a code span, also in a table cell.
std::string markdown_code(std::string_view text);

// For a pull-request comment or a job summary: verdict first, then what one acts on; transcripts are folded.
// Never longer than `limit` bytes: what does not fit is left out, from the end, and the text says so.
std::string render_markdown(const std::vector<NamedResult>& results, std::size_t limit = kMarkdownLimit);

}  // namespace roomcheck::reports

#pragma once
#include <string>
#include <string_view>

#include "reports/model/conformance_result.h"

namespace roomcheck::reports {

// How a verdict is shown: the same word, colour and sign on every page. Never colour alone.
struct Shown {
  std::string_view word;   // "known deviation"
  std::string_view tone;   // a class of page.css: good bad doubt none
  std::string_view sign;   // one character
  std::string_view emoji;  // for Markdown, where there is no other colour
};
Shown shown(Verdict verdict);

// What people look at first: failures, then what is in doubt, then what was left out.
constexpr Verdict kMostUrgentFirst[] = {Verdict::crash,
                                        Verdict::fail,
                                        Verdict::harness_error,
                                        Verdict::could_not_test,
                                        Verdict::unexpected_pass,
                                        Verdict::known_deviation,
                                        Verdict::skipped,
                                        Verdict::informational,
                                        Verdict::pass};
// REQUIRES: not empty.
Verdict most_urgent(const std::vector<const CaseResult*>& cases);

std::string verdict_tag(Verdict verdict);

// The SPEC's sentence, expected, actual, where to look and the transcript of a case, as markup; empty when
// nothing is known.
std::string what_happened(const CaseResult& result);

}  // namespace roomcheck::reports

// Answers that may leave before the commits that were met are durable (I5).
//
// An answer depends on a commit if it could be another one without it. A statement whose answer is a count, and who can show that the
// count is the same whichever of the unsettled commits last, answers at once: what it met is gathered, and kept as the position that the
// *contents* of the rows that its transaction wrote rest on. The next statement that could show something of them (TellContents) raises
// seen_lsn to it; a commit needs no more, since its own record comes later; a rollback forgets it.
//
// This is what lets the next updater of a contended row go on while the last one's commit is being flushed.
#pragma once

#include "node/base/ids.h"

namespace walden {

// While it lives, what this process's decisions rest on is gathered instead of raising seen_lsn; at its end it is seen, unless it is kept
// as untold. Inside another one it does nothing.
class SeenGathering {
 public:
  SeenGathering();
  ~SeenGathering();
  SeenGathering(const SeenGathering&) = delete;
  SeenGathering& operator=(const SeenGathering&) = delete;

  Lsn gathered() const { return gathered_; }
  // What was gathered shows in no answer, only in rows that the transaction wrote.
  void KeepUntold();

 private:
  friend bool GatherSeen(Lsn lsn);
  friend class SeenAtOnce;
  friend void TellContents();
  bool is_outer_;
  Lsn gathered_;
};

// While it lives, nothing is gathered: what is read now may decide more than what rows hold. A catalog decides whether a name means
// anything, and so whether the statement fails.
class SeenAtOnce {
 public:
  SeenAtOnce();
  ~SeenAtOnce();
  SeenAtOnce(const SeenAtOnce&) = delete;
  SeenAtOnce& operator=(const SeenAtOnce&) = delete;

 private:
  SeenGathering* outer_;
};

// For RaiseSeenLsn: whether a gathering took it.
bool GatherSeen(Lsn lsn);

// The session is about to say something that may depend on them: rows, an error, a notice.
void TellContents();
// The transaction is over.
void ForgetContents();

}  // namespace walden

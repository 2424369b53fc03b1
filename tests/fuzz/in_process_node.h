// A node within this process: memory of its own, bootstrapped catalogs, and clients that are socket pairs. For targets that need
// sessions.
#pragma once

#include <memory>
#include <string>

#include "node/pgwire/serve_client.h"
#include "node/shm/region.h"

namespace walden {

class InProcessNode {
 public:
  InProcessNode();  // one a process, to its end
  InProcessNode(const InProcessNode&) = delete;
  InProcessNode& operator=(const InProcessNode&) = delete;

  // Serves one client who sends these bytes and closes. What it answers is thrown away.
  void Serve(std::string_view bytes);

 private:
  std::unique_ptr<Region> region_;
};

}  // namespace walden

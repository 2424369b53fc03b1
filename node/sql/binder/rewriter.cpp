#include "node/sql/binder/rewriter.h"
namespace walden {
List<Query*> Rewrite(Query* query, const BindOptions& options) { return List<Query*>(options.arena, {query}); }
}

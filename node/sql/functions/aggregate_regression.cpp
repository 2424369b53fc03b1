// Aggregates over pairs of double precision: regr_*, covar_*, corr. First argument Y, second X, as in SQL.
#include <cmath>

#include "node/sql/functions/aggregate.h"
#include "node/sql/functions/function_table.h"

namespace walden {
namespace {

struct Pairs {
  double n, sx, sxx, sy, syy, sxy;
  void Add(CallContext&, double y, double x) {
    n += 1;
    sx += x;
    sy += y;
    if (n > 1) {
      double tx = x * n - sx, ty = y * n - sy, scale = 1 / (n * (n - 1));
      sxx += tx * tx * scale;
      syy += ty * ty * scale;
      sxy += tx * ty * scale;
    } else if (!std::isfinite(x) || !std::isfinite(y)) {
      if (!std::isfinite(x)) sxx = sxy = std::numeric_limits<double>::quiet_NaN();
      if (!std::isfinite(y)) syy = sxy = std::numeric_limits<double>::quiet_NaN();
    }
  }
  void Merge(CallContext&, const Pairs& from) {
    if (from.n == 0) return;
    if (n == 0) {
      *this = from;
      return;
    }
    double total = n + from.n;
    double tx = sx / n - from.sx / from.n, ty = sy / n - from.sy / from.n;
    sxx += from.sxx + n * from.n * tx * tx / total;
    syy += from.syy + n * from.n * ty * ty / total;
    sxy += from.sxy + n * from.n * tx * ty / total;
    sx += from.sx;
    sy += from.sy;
    n = total;
  }
};

using Formula = std::optional<double> (*)(const Pairs&);
template <Formula F>
struct PairResult : Pairs {
  void Finish(CallContext&, Value* result) const {
    std::optional<double> value = F(*this);
    if (value) PutValue(result, *value);
  }
};
struct PairCount : Pairs {
  void Finish(CallContext&, Value* result) const { PutValue(result, static_cast<int64_t>(n)); }
};

using Maybe = std::optional<double>;
Maybe Sxx(const Pairs& p) { return p.n < 1 ? Maybe() : p.sxx; }
Maybe Syy(const Pairs& p) { return p.n < 1 ? Maybe() : p.syy; }
Maybe Sxy(const Pairs& p) { return p.n < 1 ? Maybe() : p.sxy; }
Maybe AverageX(const Pairs& p) { return p.n < 1 ? Maybe() : p.sx / p.n; }
Maybe AverageY(const Pairs& p) { return p.n < 1 ? Maybe() : p.sy / p.n; }
Maybe R2(const Pairs& p) {
  if (p.n < 1 || p.sxx == 0) return Maybe();
  return p.syy == 0 ? 1.0 : (p.sxy * p.sxy) / (p.sxx * p.syy);
}
Maybe Slope(const Pairs& p) { return p.n < 1 || p.sxx == 0 ? Maybe() : p.sxy / p.sxx; }
Maybe Intercept(const Pairs& p) {
  return p.n < 1 || p.sxx == 0 ? Maybe() : (p.sy - p.sx * p.sxy / p.sxx) / p.n;
}
Maybe CovarPop(const Pairs& p) { return p.n < 1 ? Maybe() : p.sxy / p.n; }
Maybe CovarSamp(const Pairs& p) { return p.n < 2 ? Maybe() : p.sxy / (p.n - 1); }
Maybe Corr(const Pairs& p) {
  return p.n < 1 || p.sxx == 0 || p.syy == 0 ? Maybe() : p.sxy / std::sqrt(p.sxx * p.syy);
}

template <Formula F>
constexpr AggregateFunction Make(uint32_t oid, std::string_view signature) {
  return Aggregate2<PairResult<F>, double, double>(oid, signature);
}

constexpr AggregateFunction kTable[] = {
    Aggregate2<PairCount, double, double>(2818, "regr_count(double precision,double precision)"),
    Make<&Sxx>(2819, "regr_sxx(double precision,double precision)"),
    Make<&Syy>(2820, "regr_syy(double precision,double precision)"),
    Make<&Sxy>(2821, "regr_sxy(double precision,double precision)"),
    Make<&AverageX>(2822, "regr_avgx(double precision,double precision)"),
    Make<&AverageY>(2823, "regr_avgy(double precision,double precision)"),
    Make<&R2>(2824, "regr_r2(double precision,double precision)"),
    Make<&Slope>(2825, "regr_slope(double precision,double precision)"),
    Make<&Intercept>(2826, "regr_intercept(double precision,double precision)"),
    Make<&CovarPop>(2827, "covar_pop(double precision,double precision)"),
    Make<&CovarSamp>(2828, "covar_samp(double precision,double precision)"),
    Make<&Corr>(2829, "corr(double precision,double precision)"),
};

}  // namespace

std::span<const AggregateFunction> RegressionAggregates() { return kTable; }

}  // namespace walden

// The six comparisons over any two types that C++ can compare, for the families' tables.
#pragma once

namespace walden {

template <class A, class B>
struct Compare {
  static bool Eq(A a, B b) { return a == b; }
  static bool Ne(A a, B b) { return a != b; }
  static bool Lt(A a, B b) { return a < b; }
  static bool Le(A a, B b) { return a <= b; }
  static bool Gt(A a, B b) { return a > b; }
  static bool Ge(A a, B b) { return a >= b; }
  static int Order(A a, B b) { return a < b ? -1 : a > b ? 1 : 0; }
};

// The same from a three-way function `int F(A, B)`.
template <class A, auto F, class B = A>
struct CompareBy {
  static bool Eq(A a, B b) { return F(a, b) == 0; }
  static bool Ne(A a, B b) { return F(a, b) != 0; }
  static bool Lt(A a, B b) { return F(a, b) < 0; }
  static bool Le(A a, B b) { return F(a, b) <= 0; }
  static bool Gt(A a, B b) { return F(a, b) > 0; }
  static bool Ge(A a, B b) { return F(a, b) >= 0; }
  static int Order(A a, B b) { return F(a, b); }
  static A Larger(A a, A b) { return F(a, b) > 0 ? a : b; }
  static A Smaller(A a, A b) { return F(a, b) < 0 ? a : b; }
};

}  // namespace walden

// Wrong calls, one of which the macro WRONG chooses: each is refused by the compiler, with function and parameter.
#include <cstdio>
#include <mobula.hpp>

double add(double a, double b) { return a + b; }
MOBULA_REMOTE(add);
class counter {
  public:
    explicit counter(long start) : value_(start) {}
    void plus(long more) { value_ += more; }

  private:
    long value_;
};
MOBULA_ACTOR(counter, (long), &counter::plus);
struct without_macro {};

namespace files {
std::size_t length_of(int mode, std::FILE *file) { return file == nullptr ? 0 : static_cast<std::size_t>(mode); }
void fill(std::vector<double> &values) { values.clear(); }
} // namespace files

#if WRONG == 1
auto refused = mobula::submit(add, 1.0, "two");
#elif WRONG == 2
auto refused = mobula::submit(add, mobula::ref<int>(), 2.0);
#elif WRONG == 3
auto refused = mobula::submit(add, 1.0);
#elif WRONG == 4
MOBULA_REMOTE(files::length_of);
#elif WRONG == 5
MOBULA_REMOTE(files::fill);
#elif WRONG == 6
auto refused = mobula::actor<counter>(1).call(&counter::plus, std::string("two"));
#elif WRONG == 7
mobula::actor<counter> refused("one");
#elif WRONG == 8
mobula::actor<without_macro> refused;
#elif WRONG == 9
auto refused = [] { mobula::submit([](double x) { return x; }, 1.0); };
#elif WRONG == 10
auto refused = mobula::put(std::vector<int *>());
#endif

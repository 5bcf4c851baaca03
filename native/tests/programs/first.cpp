// A program of two files that register the same function of a header, and each a static one of its own.
#include "shared.hpp"

static int local(int x) { return x * 2; }
MOBULA_REMOTE_AS("local in the first", local);

int main() {
    try {
        mobula::cluster cluster;
        CHECK(mobula::submit(shared, 1).get() == 2 && mobula::submit(local, 2).get() == 4);
        CHECK(from_second() == 2 + 30 + 7);
        std::printf("ok: C++ files\n");
    } catch (const mobula::config_error &refused) {
        std::printf("%s\n", refused.what());
    }
}

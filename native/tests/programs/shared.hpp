// What two files of one program include: a registered function and class, each once in the program.
#ifndef SHARED_HPP
#define SHARED_HPP

#include "check.hpp"

inline int shared(int x) { return x + 1; }
MOBULA_REMOTE(shared);

struct shared_state {
    int get() const { return 7; }
};
MOBULA_ACTOR(shared_state, (), &shared_state::get);

int from_second();

#endif

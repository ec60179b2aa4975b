-- chunks that are not source text
assert(load("\27Lua"))()

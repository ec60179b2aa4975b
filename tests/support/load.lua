require "ffi".load(...)

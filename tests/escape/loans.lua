-- Memory that the host lends (`tests/escape.rs`): `loan` of 16 bytes, `read_only` of 4. The function that this returns is
-- called when `loan` is over.
local C = ffi.C
assert(loan[15] == 0)
loan[15] = 7
local loan_pointer = ffi.cast("unsigned char *", loan)
local loan_slot = ffi.new("unsigned char *[1]", { loan_pointer })
assert(loan_slot[0][15] == 7 and read_only[3] == 9)
C.fill_in(loan_pointer, 15, 1)

section "loans"
attempt("element behind a loan", function() return loan[16] end, "")
attempt("pointer behind a loan", function() return ffi.cast("unsigned char *", loan)[16] end, "16 bytes")

return function()
  attempt("a loan that is over", function() return loan[0] end, "dead")
  attempt("assignment to a loan that is over", function() loan[0] = 1 end, "dead")
  attempt("a pointer into a loan that is over", function() return loan_pointer[0] end, "dead")
  attempt("a loan that is over, as a string", function() return ffi.string(loan_pointer, 1) end, "dead")
  attempt("a loan that is over, copied from", function() ffi.copy(ffi.new("char[4]"), loan_pointer, 1) end, "dead")
  attempt("a loan that is over, filled", function() ffi.fill(loan, 1) end, "dead")
  attempt("a loan that is over, passed on", function() C.fill_in(loan_pointer, 1, 0) end, "dead")
  attempt("arithmetic on a loan that is over", function() return loan_pointer + 1 end, "dead")
  attempt("a loan that is over, by its address", function() return loan_slot[0][0] end, "foreign")
  attempt("a read-only loan, written to", function() read_only[0] = 1 end, "read%-only")
  attempt("a read-only loan, filled", function() ffi.fill(read_only, 1) end, "cannot convert")
  attempt("a read-only loan, written to by C", function() C.fill_in(ffi.cast("unsigned char *", read_only), 1, 0) end, "read%-only")
  attempt("a read-only loan through another pointer", function() ffi.cast("char *", read_only)[0] = 1 end, "read%-only")
  attempt("a read-only loan by its address", function()
    local slot = ffi.new("unsigned char *[1]", { ffi.cast("unsigned char *", read_only) })
    slot[0][0] = 1
  end, "read%-only")
end

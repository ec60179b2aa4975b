-- libcrypto: digests, AES-256-GCM, EC keys that sign and verify, a self-signed certificate made and parsed.
--
--   apt install libssl-dev;  cthunk run examples/real/crypto.lua;  luajit examples/real/crypto.lua
--
-- Idioms: opaque handles with ffi.gc, out-parameters as arrays of one, buffers that C fills, library errors as Lua errors,
-- and `...` with explicitly typed integers (a plain Lua number would be a double for LuaJIT).
local ffi = require "ffi"

ffi.cdef [[
typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_md_st EVP_MD;
typedef struct evp_cipher_ctx_st EVP_CIPHER_CTX;
typedef struct evp_cipher_st EVP_CIPHER;
typedef struct evp_pkey_st EVP_PKEY;
typedef struct evp_pkey_ctx_st EVP_PKEY_CTX;
typedef struct x509_st X509;
typedef struct X509_name_st X509_NAME;
typedef struct asn1_string_st ASN1_INTEGER, ASN1_TIME;
typedef struct bio_st BIO;
typedef struct bio_method_st BIO_METHOD;
typedef struct engine_st ENGINE;

unsigned long ERR_get_error(void);
void ERR_error_string_n(unsigned long e, char *buf, size_t len);
const EVP_MD *EVP_get_digestbyname(const char *name);
int EVP_MD_get_size(const EVP_MD *md);
EVP_MD_CTX *EVP_MD_CTX_new(void);
void EVP_MD_CTX_free(EVP_MD_CTX *ctx);
int EVP_DigestInit_ex(EVP_MD_CTX *ctx, const EVP_MD *type, ENGINE *impl);
int EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t count);
int EVP_DigestFinal_ex(EVP_MD_CTX *ctx, uint8_t *md, unsigned *size);
int RAND_bytes(uint8_t *buf, int num);

EVP_CIPHER_CTX *EVP_CIPHER_CTX_new(void);
void EVP_CIPHER_CTX_free(EVP_CIPHER_CTX *ctx);
const EVP_CIPHER *EVP_aes_256_gcm(void);
int EVP_CIPHER_CTX_ctrl(EVP_CIPHER_CTX *ctx, int type, int arg, void *ptr);
int EVP_CipherInit_ex(EVP_CIPHER_CTX *, const EVP_CIPHER *, ENGINE *, const uint8_t *key, const uint8_t *iv, int enc);
int EVP_CipherUpdate(EVP_CIPHER_CTX *ctx, uint8_t *out, int *outl, const uint8_t *in, int inl);
int EVP_CipherFinal_ex(EVP_CIPHER_CTX *ctx, uint8_t *out, int *outl);
enum { EVP_CTRL_AEAD_GET_TAG = 0x10, EVP_CTRL_AEAD_SET_TAG = 0x11 };

EVP_PKEY *EVP_PKEY_Q_keygen(void *libctx, const char *propq, const char *type, ...);
void EVP_PKEY_free(EVP_PKEY *pkey);
int EVP_PKEY_get_bits(const EVP_PKEY *pkey);
int EVP_PKEY_eq(const EVP_PKEY *a, const EVP_PKEY *b);
int EVP_DigestSignInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *);
int EVP_DigestSign(EVP_MD_CTX *ctx, uint8_t *sig, size_t *siglen, const uint8_t *tbs, size_t tbslen);
int EVP_DigestVerifyInit(EVP_MD_CTX *, EVP_PKEY_CTX **, const EVP_MD *, ENGINE *, EVP_PKEY *);
int EVP_DigestVerify(EVP_MD_CTX *ctx, const uint8_t *sig, size_t siglen, const uint8_t *tbs, size_t tbslen);

X509 *X509_new(void);
void X509_free(X509 *x);
int X509_set_version(X509 *x, long version);
ASN1_INTEGER *X509_get_serialNumber(X509 *x);
int ASN1_INTEGER_set(ASN1_INTEGER *a, long v);
long ASN1_INTEGER_get(const ASN1_INTEGER *a);
ASN1_TIME *X509_getm_notBefore(const X509 *x);
ASN1_TIME *X509_getm_notAfter(const X509 *x);
ASN1_TIME *ASN1_TIME_set(ASN1_TIME *s, int64_t t);
int ASN1_TIME_print(BIO *bp, const ASN1_TIME *a);
int X509_set_pubkey(X509 *x, EVP_PKEY *pkey);
EVP_PKEY *X509_get0_pubkey(const X509 *x);
X509_NAME *X509_get_subject_name(const X509 *x);
X509_NAME *X509_get_issuer_name(const X509 *x);
int X509_set_issuer_name(X509 *x, const X509_NAME *name);
int X509_NAME_add_entry_by_txt(X509_NAME *, const char *field, int type, const uint8_t *bytes, int len, int loc, int set);
char *X509_NAME_oneline(const X509_NAME *a, char *buf, int size);
int X509_NAME_cmp(const X509_NAME *a, const X509_NAME *b);
int X509_sign(X509 *x, EVP_PKEY *pkey, const EVP_MD *md);
int X509_verify(X509 *a, EVP_PKEY *r);
BIO *BIO_new(const BIO_METHOD *type);
const BIO_METHOD *BIO_s_mem(void);
BIO *BIO_new_mem_buf(const void *buf, int len);
int BIO_read(BIO *b, void *data, int dlen);
int BIO_free(BIO *a);
typedef int pem_password_cb(char *buf, int size, int rwflag, void *userdata);
int PEM_write_bio_X509(BIO *out, const X509 *x);
X509 *PEM_read_bio_X509(BIO *bp, X509 **x, pem_password_cb *cb, void *u);
]]
local crypto = ffi.load "crypto"
local number = ffi.tonumber or tonumber -- turns a boxed 64-bit integer into a Lua number, in every Lua
local NULL = ffi.NULL -- nil in LuaJIT, where `pointer == nil` asks for NULL

local function fail()
  local buf = ffi.new "char[256]"
  crypto.ERR_error_string_n(crypto.ERR_get_error(), buf, 256)
  error("libcrypto: " .. ffi.string(buf), 3)
end
-- Checks functions that return 1, and constructors that return a pointer.
local function check(status) if status ~= 1 then fail() end end
local function own(pointer, free)
  if pointer == NULL then fail() end
  return ffi.gc(pointer, free)
end
local function hex(text) return (text:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end

-- Digests.
local function digest(name, ...)
  local md = crypto.EVP_get_digestbyname(name)
  if md == NULL then error("no digest " .. name, 2) end
  local ctx = own(crypto.EVP_MD_CTX_new(), crypto.EVP_MD_CTX_free)
  check(crypto.EVP_DigestInit_ex(ctx, md, nil))
  for i = 1, select("#", ...) do
    local part = select(i, ...)
    check(crypto.EVP_DigestUpdate(ctx, part, #part))
  end
  local out, size = ffi.new("uint8_t[?]", crypto.EVP_MD_get_size(md)), ffi.new "unsigned[1]"
  check(crypto.EVP_DigestFinal_ex(ctx, out, size))
  return hex(ffi.string(out, size[0]))
end
assert(digest("SHA256", "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
assert(digest("SHA256", "a", "b", "c") == digest("SHA256", "abc"))
assert(digest("MD5", "") == "d41d8cd98f00b204e9800998ecf8427e")
assert(not pcall(digest, "NOPE", ""))
print("sha1(abc) = " .. digest("SHA1", "abc"))

-- AES-256-GCM.
local function random(n)
  local buf = ffi.new("uint8_t[?]", n)
  check(crypto.RAND_bytes(buf, n))
  return ffi.string(buf, n)
end
local function cipher(key, iv, aad, encrypt)
  local ctx = own(crypto.EVP_CIPHER_CTX_new(), crypto.EVP_CIPHER_CTX_free)
  check(crypto.EVP_CipherInit_ex(ctx, crypto.EVP_aes_256_gcm(), nil, key, iv, encrypt and 1 or 0))
  local len = ffi.new "int[1]"
  check(crypto.EVP_CipherUpdate(ctx, nil, len, aad, #aad)) -- authenticated, not encrypted
  return ctx, len
end
local function seal(key, iv, aad, text)
  local ctx, len = cipher(key, iv, aad, true)
  local out, tag = ffi.new("uint8_t[?]", #text), ffi.new "uint8_t[16]"
  check(crypto.EVP_CipherUpdate(ctx, out, len, text, #text))
  local n = len[0]
  check(crypto.EVP_CipherFinal_ex(ctx, out + n, len))
  check(crypto.EVP_CIPHER_CTX_ctrl(ctx, crypto.EVP_CTRL_AEAD_GET_TAG, 16, tag))
  return ffi.string(out, n + len[0]), ffi.string(tag, 16)
end
local function open(key, iv, aad, text, tag)
  local ctx, len = cipher(key, iv, aad, false)
  local out = ffi.new("uint8_t[?]", #text)
  check(crypto.EVP_CipherUpdate(ctx, out, len, text, #text))
  local n = len[0]
  check(crypto.EVP_CIPHER_CTX_ctrl(ctx, crypto.EVP_CTRL_AEAD_SET_TAG, 16, ffi.new("uint8_t[16]", tag)))
  return crypto.EVP_CipherFinal_ex(ctx, out + n, len) == 1 and ffi.string(out, n + len[0]) or nil
end
-- Test case 14 of the GCM specification: zero key, zero IV, one zero block.
local zero = function(n) return ("\0"):rep(n) end
local sealed, tag = seal(zero(32), zero(12), "", zero(16))
assert(hex(sealed) == "cea7403d4d606b6e074ec5d3baf39d18" and hex(tag) == "d0d1c8a799996bf0265b98b5d48ab919")
local key, iv = random(32), random(12)
sealed, tag = seal(key, iv, "header", "attack at dawn")
assert(#sealed == 14 and sealed ~= "attack at dawn")
assert(open(key, iv, "header", sealed, tag) == "attack at dawn")
assert(open(key, iv, "HEADER", sealed, tag) == nil, "other authenticated data")
assert(open(key, iv, "header", sealed, zero(16)) == nil, "another tag")
print("AES-256-GCM: sealed, opened, tampering noticed")

-- EC keys. The curve's name is an argument of `...`.
local function new_key(curve)
  return own(crypto.EVP_PKEY_Q_keygen(nil, nil, "EC", ffi.cast("const char *", curve)), crypto.EVP_PKEY_free)
end
local sha256 = crypto.EVP_get_digestbyname "SHA256"
local function sign(pkey, text)
  local ctx, size = own(crypto.EVP_MD_CTX_new(), crypto.EVP_MD_CTX_free), ffi.new "size_t[1]"
  check(crypto.EVP_DigestSignInit(ctx, nil, sha256, nil, pkey))
  check(crypto.EVP_DigestSign(ctx, nil, size, text, #text)) -- asks for the size
  local out = ffi.new("uint8_t[?]", size[0])
  check(crypto.EVP_DigestSign(ctx, out, size, text, #text))
  return ffi.string(out, size[0])
end
local function verify(pkey, text, signature)
  local ctx = own(crypto.EVP_MD_CTX_new(), crypto.EVP_MD_CTX_free)
  check(crypto.EVP_DigestVerifyInit(ctx, nil, sha256, nil, pkey))
  return crypto.EVP_DigestVerify(ctx, signature, #signature, text, #text) == 1
end
local pkey, other = new_key "P-256", new_key "P-384"
assert(crypto.EVP_PKEY_get_bits(pkey) == 256 and crypto.EVP_PKEY_get_bits(other) == 384)
local signature = sign(pkey, "the text")
assert(verify(pkey, "the text", signature) and not verify(pkey, "the test", signature))
assert(not verify(other, "the text", signature))
while number(crypto.ERR_get_error()) ~= 0 do end -- errors that the refused signatures left
print("P-256: signed, verified, forgery noticed")

-- A certificate signed by its own key, written as PEM and read back.
local function certificate(subject, serial, from, days)
  local x = own(crypto.X509_new(), crypto.X509_free)
  check(crypto.X509_set_version(x, 2)) -- version 3
  check(crypto.ASN1_INTEGER_set(crypto.X509_get_serialNumber(x), serial))
  crypto.ASN1_TIME_set(crypto.X509_getm_notBefore(x), from)
  crypto.ASN1_TIME_set(crypto.X509_getm_notAfter(x), from + days * 86400)
  check(crypto.X509_set_pubkey(x, pkey))
  local name = crypto.X509_get_subject_name(x) -- a part of the certificate
  for _, part in ipairs(subject) do
    check(crypto.X509_NAME_add_entry_by_txt(name, part[1], 0x1001, part[2], -1, -1, 0))
  end
  check(crypto.X509_set_issuer_name(x, name))
  if crypto.X509_sign(x, pkey, sha256) <= 0 then fail() end
  return x
end
local function drain(bio)
  local parts, buf = {}, ffi.new "char[512]"
  repeat
    local n = crypto.BIO_read(bio, buf, 512)
    if n > 0 then parts[#parts + 1] = ffi.string(buf, n) end
  until n <= 0
  return table.concat(parts)
end
local function to_memory(write, ...)
  local bio = own(crypto.BIO_new(crypto.BIO_s_mem()), crypto.BIO_free)
  check(write(bio, ...))
  return drain(bio)
end
local function oneline(name) return ffi.string(crypto.X509_NAME_oneline(name, ffi.new "char[256]", 256)) end

local made = certificate({ { "C", "AT" }, { "O", "cthunk" }, { "CN", "localhost" } }, 4711, 1700000000, 30)
local pem = to_memory(crypto.PEM_write_bio_X509, made)
assert(pem:find "^%-%-%-%-%-BEGIN CERTIFICATE%-%-%-%-%-\n" and pem:find "END CERTIFICATE%-%-%-%-%-\n$")

local input = own(crypto.BIO_new_mem_buf(pem, #pem), crypto.BIO_free)
local parsed = own(crypto.PEM_read_bio_X509(input, nil, nil, nil), crypto.X509_free)
print("certificate " .. oneline(crypto.X509_get_subject_name(parsed)))
print("valid until " .. to_memory(crypto.ASN1_TIME_print, crypto.X509_getm_notAfter(parsed)))
assert(oneline(crypto.X509_get_subject_name(parsed)) == "/C=AT/O=cthunk/CN=localhost")
assert(number(crypto.ASN1_INTEGER_get(crypto.X509_get_serialNumber(parsed))) == 4711)
assert(crypto.X509_NAME_cmp(crypto.X509_get_subject_name(parsed), crypto.X509_get_issuer_name(parsed)) == 0)
local public = crypto.X509_get0_pubkey(parsed)
assert(crypto.X509_verify(parsed, public) == 1 and crypto.X509_verify(parsed, other) ~= 1)
assert(crypto.EVP_PKEY_eq(public, pkey) == 1 and verify(public, "the text", signature))
print "it verifies itself, and its key verifies the signature"

/* Common definitions (C23 7.21). Headers ask for parts of it by __need_size_t and its kin. */
#if !defined __need_size_t && !defined __need_wchar_t && !defined __need_ptrdiff_t && !defined __need_NULL \
    && !defined __need_wint_t
#define __need_size_t
#define __need_wchar_t
#define __need_ptrdiff_t
#define __need_NULL
#ifndef _CTHUNK_STDDEF_H
#define _CTHUNK_STDDEF_H
#define offsetof(type, member) __builtin_offsetof(type, member)
#ifndef _MSC_VER
typedef struct {
  long long __max_align_ll __attribute__((__aligned__(__alignof__(long long))));
  long double __max_align_ld __attribute__((__aligned__(__alignof__(long double))));
} max_align_t;
#else
typedef double max_align_t;
#endif
#endif
#endif
#ifdef __need_size_t
#undef __need_size_t
#if !defined _SIZE_T && !defined _SIZE_T_DEFINED
#define _SIZE_T
#define _SIZE_T_DEFINED
typedef __SIZE_TYPE__ size_t;
#endif
#endif
#ifdef __need_wchar_t
#undef __need_wchar_t
#if !defined _WCHAR_T && !defined _WCHAR_T_DEFINED
#define _WCHAR_T
#define _WCHAR_T_DEFINED
typedef __WCHAR_TYPE__ wchar_t;
#endif
#endif
#ifdef __need_ptrdiff_t
#undef __need_ptrdiff_t
#if !defined _PTRDIFF_T && !defined _PTRDIFF_T_DEFINED
#define _PTRDIFF_T
#define _PTRDIFF_T_DEFINED
typedef __PTRDIFF_TYPE__ ptrdiff_t;
#endif
#endif
#ifdef __need_wint_t
#undef __need_wint_t
#if !defined _WINT_T && !defined _WCTYPE_T_DEFINED
#define _WINT_T
typedef __WINT_TYPE__ wint_t;
#endif
#endif
#ifdef __need_NULL
#undef __need_NULL
#undef NULL
#define NULL ((void *)0)
#endif

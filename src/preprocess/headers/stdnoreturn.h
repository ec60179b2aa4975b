/* Functions that do not return (C17 7.23). */
#ifndef _CTHUNK_STDNORETURN_H
#define _CTHUNK_STDNORETURN_H
#define noreturn _Noreturn
#endif

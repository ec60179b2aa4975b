/* Alignment (C17 7.15); keywords of C23. */
#ifndef _CTHUNK_STDALIGN_H
#define _CTHUNK_STDALIGN_H
#if __STDC_VERSION__ < 202311L
#define alignas _Alignas
#define alignof _Alignof
#define __alignas_is_defined 1
#define __alignof_is_defined 1
#endif
#endif

// Names ZSTD_c_experimentalParam5, which keeps literals compressed at levels that only look for them. The archive is
// linked, so that header and library are of one version.
#define ZSTD_STATIC_LINKING_ONLY
#include <zstd.h>

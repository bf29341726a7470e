// The names of a digest that needs no provider: see Hash.sha256.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/evp.h>
#include <openssl/sha.h>

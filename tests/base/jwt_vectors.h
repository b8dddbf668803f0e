/* Tokens signed by others: by the crypto module of Node.js, except ES512, which is RFC 7520, 4.3 (its payload
 * is a text, not claims). */
#ifndef TESTS_BASE_JWT_VECTORS_H
#define TESTS_BASE_JWT_VECTORS_H

#include "base/jwt_key.h"

static const struct {
    enum jwt_algorithm algorithm;
    const char *jwk;   /* without "alg" */
    const char *token; /* three parts */
} jwt_vectors[] = {
    {JWT_HS384, "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}",
     "eyJhbGciOiJIUzM4NCJ9.eyJzdWIiOiJhbGljZSJ9."
     "Ojujzs8UHxhLwKhmW9eMDDe5A2YQuTh9Y1IkEUfQz034ZmTUfUF9K6Vzxu5T8_22"},
    {JWT_HS512, "{\"kty\":\"oct\",\"k\":\"c2VjcmV0\"}",
     "eyJhbGciOiJIUzUxMiJ9.eyJzdWIiOiJhbGljZSJ9."
     "8KXD97LAtW3yAT8Lw48SthcG0TJGs8mhMPcCydotqOA7ckv9909TBOxkjrO8PSj4BwjVzZuN8mOGbTs36wixDg"},
    {JWT_ES384,
     "{\"kty\":\"EC\",\"x\":\"LTkGjlVe3wKPdcx7c5XDQ1u4SwrXyeKw4TVPzgrpimE1omt6GnG40X84o-MnfGrS\",\"y\":"
     "\"JLfI-fYmcFpstkWvI5PHfcAJsh1NsDkWtFEtunXp9f-ia6BjLJxSJANIp9jLIkKe\",\"crv\":\"P-384\"}",
     "eyJhbGciOiJFUzM4NCJ9.eyJzdWIiOiJhbGljZSJ9.QsNuAaJjYyzOSG1GDJqgi5CDShLPJBkToySVACFgmuBeOUbSuW0Da_"
     "oU7OMhCqpcChl5VDGlZ9zzsDi0ASWtqfAVozeDt_OITb7CSfwQIQCGBwo_5EVjtgUAFi3o-j69"},
    {JWT_RS384,
     "{\"kty\":\"RSA\",\"n\":\"vPJZXknF8Tw50lfzC5MtBNWOX1fjTAEut1Yq-Hc7m_"
     "iEKnjdwg6bVL2sp0V0LiE3DdU2otTEtL6vlYg7tUG0bOEHjKhmw-"
     "GV3AtTEql9WC8FQ5cAgQmRQvILPX1CrI1btS3YMW0tzcI3XNwywtUayJuzb6bDQwtUBZbPEKWXmtk\",\"e\":\"AQAB\"}",
     "eyJhbGciOiJSUzM4NCJ9.eyJzdWIiOiJhbGljZSJ9."
     "XcyaAy8npjfhpiJjTEPXUbLTl9XfC3JfpyRVJ0qTSgBlnawDUfZuYqXaoxIBQy27QF6HbhK1aMIhVFLvpwRfUQPXYARJAHzegTu0Itn"
     "2rwv-CLDKYFgYZaZhPq2fNc0ktg6HvkVq63eM2VJ_9CELZPNw3VUFFqLWM28EJEFao58"},
    {JWT_RS512,
     "{\"kty\":\"RSA\",\"n\":\"vPJZXknF8Tw50lfzC5MtBNWOX1fjTAEut1Yq-Hc7m_"
     "iEKnjdwg6bVL2sp0V0LiE3DdU2otTEtL6vlYg7tUG0bOEHjKhmw-"
     "GV3AtTEql9WC8FQ5cAgQmRQvILPX1CrI1btS3YMW0tzcI3XNwywtUayJuzb6bDQwtUBZbPEKWXmtk\",\"e\":\"AQAB\"}",
     "eyJhbGciOiJSUzUxMiJ9.eyJzdWIiOiJhbGljZSJ9.aaLb3tUNCmiYSE45wuBbo1b2dslRvsdCwWyKDzPBMpoS0-"
     "ViZCstD1CauJRPmCIEVCL_NZH_nTZxxP-6OkSqx83MPNGRveHWLSUPHiXlN2ostKo35OYSBx3Z-2VFypbscVDlAm_hCK-07A_"
     "cWrOoXr0f9mcKyCxZsGU352qkL5Q"},
    {JWT_ES512,
     "{\"kty\":\"EC\",\"crv\":\"P-521\",\"x\":\"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_"
     "oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt\",\"y\":"
     "\"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1\"}",
     "eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9."
     "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9"
     "hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIH"
     "N3ZXB0IG9mZiB0by4.AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-"
     "JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-"
     "kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"},
};

#endif

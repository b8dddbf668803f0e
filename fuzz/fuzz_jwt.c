/* Fuzz target: JSON Web Tokens and keys. The first byte says what the rest is: a token (0), changes to one of
 * four good tokens (1: pairs of place and bits to turn; 2: one of them with a piece put in), a JWK (3).
 *
 * Checked for any input: nothing crashes; a refusal has a reason; no key verifies anything but the token that
 * was signed with it, byte for byte; a key that is accepted has an algorithm. */
#include "fuzz_keys.h"

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/memory.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { KEYS = 4 };

static const char hs_key[] = "{\"kty\":\"oct\",\"k\":\"c2VjcmV0IG9mIHRoZSBmdXp6IHRhcmdldA\",\"kid\":\"hs\"}";
/* ES256 signs differently every time, so this one is of RFC 7515, A.3. */
static const char es_token[] =
    "eyJhbGciOiJFUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

struct signer {
    struct jwt_key *key;
    char *token;
};

static void make_signer(struct signer *signer, const char *text) {
    json_t *jwk = json_parse(text, strlen(text), NULL), *claims = token_claims("alice", 4102444800);
    enum status status = jwt_key_from_jwk(jwk, &signer->key, NULL);
    assert(status == STATUS_OK);
    (void)status;
    signer->token = jwt_key_algorithm(signer->key) == JWT_ES256 ? memory_copy_text(es_token)
                                                                : jwt_sign(signer->key, claims);
    json_decref(claims);
    json_decref(jwk);
}

/* Made once: signing takes longer than everything else. */
static const struct signer *signers(void) {
    static struct signer all[KEYS];
    if (all[0].key == NULL) {
        make_signer(&all[0], hs_key);
        make_signer(&all[1], FIXTURE_PRIVATE_KEY);
        make_signer(&all[2], FIXTURE_EC_KEY);
        make_signer(&all[3], FIXTURE_ED_KEY);
    }
    return all;
}

static void check_token(const char *token) {
    struct jwt jwt = {0};
    struct error error = {0};
    bool good = jwt_parse(&jwt, token, &error) == STATUS_OK;
    assert(good || (error.message[0] != 0 && jwt.header == NULL));
    for (int i = 0; good && i < KEYS; i++) {
        const struct signer *signer = &signers()[i];
        for (enum jwt_algorithm algorithm = JWT_UNKNOWN; algorithm <= JWT_EDDSA; algorithm++) {
            bool same = algorithm == jwt_key_algorithm(signer->key) && strcmp(token, signer->token) == 0;
            bool verified = jwt_verify(&jwt, token, signer->key, algorithm);
            assert(verified == same);
            (void)same;
            (void)verified;
        }
    }
    jwt_free(&jwt);
}

static void check_changed(const uint8_t *data, size_t size) {
    char *token = memory_copy_text(signers()[data[0] % KEYS].token);
    size_t length = strlen(token);
    for (size_t i = 1; i + 2 < size; i += 3) {
        char *place = &token[((size_t)data[i] << 8 | data[i + 1]) % length];
        char changed = (char)(*place ^ data[i + 2]);
        *place = changed != 0 ? changed : *place;
    }
    check_token(token);
    free(token);
}

static void check_spliced(const uint8_t *data, size_t size) {
    struct buffer token = {0};
    const char *good = signers()[data[0] % KEYS].token;
    size_t length = strlen(good), from = size > 1 ? data[1] * length / 255 : 0,
           to = size > 2 ? data[2] * length / 255 : 0;
    buffer_append(&token, good, from);
    if (size > 3)
        buffer_append(&token, data + 3, size - 3);
    buffer_append_text(&token, good + to);
    check_token(buffer_text(&token));
    buffer_free(&token);
}

static void check_key(const uint8_t *data, size_t size) {
    struct jwt_key *key = NULL;
    struct jwt jwt;
    json_t *jwk = json_parse((const char *)data, size, NULL);
    struct error error = {0};
    if (jwk != NULL && jwt_key_from_jwk(jwk, &key, &error) == STATUS_OK) {
        enum jwt_algorithm algorithm = jwt_key_algorithm(key);
        const char *token = signers()[0].token;
        assert(algorithm != JWT_UNKNOWN && jwt_algorithm_name(algorithm) != NULL);
        enum status status = jwt_parse(&jwt, token, NULL);
        assert(status == STATUS_OK && (jwt_key_is_secret(key) || !jwt_verify(&jwt, token, key, algorithm)));
        (void)status;
        jwt_free(&jwt);
        jwt_key_free(key);
    } else {
        assert(jwk == NULL || error.message[0] != 0);
    }
    json_decref(jwk);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    char *text = memory_copy_bytes((const char *)data + 1, size - 1);
    if (data[0] % 4 == 0)
        check_token(text);
    else if (data[0] % 4 == 1)
        check_changed(data + 1, size - 1);
    else if (data[0] % 4 == 2)
        check_spliced(data + 1, size - 1);
    else
        check_key(data + 1, size - 1);
    free(text);
    return 0;
}

/* Table numbers, internal ids and their text, computed with Python from the description of the format; the
 * first four are published examples. */
static const struct {
    unsigned table;
    const char *internal; /* hex */
    const char *text;
} id_vectors[] = {
    {10001u, "00000000000000000000000000000000", "j5700000000000000000000000001qv0"},
    {1u, "00000000000000000000000000000000", "0400000000000000000000000000248"},
    {10001u, "000102030405060708090a0b0c0d0e0f", "j57000820c20a1g7104gm2rc1m70ynr8"},
    {10002u, "000102030405060708090a0b0c0d0e0f", "j97000820c20a1g7104gm2rc1m70yp0t"},
    {1u, "457c769f39d8644199c0e5bdbcfbc85b", "052qrxmz77c68gcsr3jvvf7vs1dp4d0"},
    {127u, "37ce91cbde1fc1b0ea6b44f130436dd7", "fwvwx4ebvrfw3c7add2f2c23dqbryt8"},
    {128u, "29fe69bd9e8ceba6a07d1dec25b1b087", "g00jkzk9qpf8stx6m1yhvv15p6r8ff4d"},
    {10001u, "efe26c07ff0d21d7db0b33777738a5c6", "j57ezrkc0zzgt8eqvc5k6xvq72jwdmbb"},
    {10002u, "74d37ff136eac13f553223a63841460d", "j9779mvzy4veng9zams279hr8530vmz7"},
    {10003u, "3b6aa1e68d682728f610fb1c7fd92d5f", "jd73ptn1wt6pg9s8yr8fp73zv4pnymnp"},
    {16383u, "a2e81478007152dea8651f3fce597961", "zxzt5t0mf0072mpyn1jhyfyeb5wp38dg"},
    {16384u, "68e9338b87fe1a1a45cfed925923d43f", "g2002t796e5rfzgt392wzvcjb4hx8fzbn8"},
    {2097151u, "99735b0320db2ebba29a7b376c967c68", "zzzqz6bkbc1j1pseqeh9mysqdjb7rt4z1m"},
    {2097152u, "1d288c47b1829c2e219c95ea9dcc11de", "g208008x5264fcc2kgq2374nxaewr4ey5b40"},
    {268435455u, "459506c4f129b2635ed2db28768b0dc3", "zzzzyzt5jm3c9w99p9hnxmpv51v8p3e3aftg"},
    {268435456u, "57d311cc481e6a12ea4286231c69309e", "g2081001az9h3k283sn15tj2grhhrt9gkr934"},
    {4294967295u, "4b5e119e7ec0e071665c6f207889da21", "zzzzzzrf9df137kyr3g72sjwdwg7h2et44zzc"},
};

/**
 * A certificate for `localhost` and 127.0.0.1, signed by itself and valid from 2020 to 2120, and its key. It protects
 * nothing: everybody can read its key here, and nobody has a reason to trust it.
 */

/** What `createServer` of node:https takes; clients pass `cert` as `ca`. */
export const selfSigned = {
  key: `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg+hE7+6EawQ9Md5dx
J1i/A80FdWuQj1kqkFYR/i7CBTKhRANCAARe/xvNyJf6EL/plwtSrX9GnajPRuPX
gnvo/nVSqqWX1zs5kTNmDryM62SOUVVkfBwWzppxmNuuyLREbujWZctU
-----END PRIVATE KEY-----
`,
  cert: `-----BEGIN CERTIFICATE-----
MIIBYzCCAQqgAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABF7/G83Il/oQv+mX
C1Ktf0adqM9G49eCe+j+dVKqpZfXOzmRM2YOvIzrZI5RVWR8HBbOmnGY267ItERu
6NZly1SjSzBJMBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcEfwAAATAMBgNVHRMBAf8E
AjAAMB0GA1UdDgQWBBQ+/8VcwG7EbmryClGbWfr9x2qaQDAKBggqhkjOPQQDAgNH
ADBEAiBXLymbedCNuaoJLkwgARsYUtunao172VUXwGgsClMgkgIgNZ61mme48UjF
TJEPdgH6r+q9KqFsCniM13rpVro/gp8=
-----END CERTIFICATE-----
`,
} as const

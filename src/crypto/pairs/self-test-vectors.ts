/**
 * Known answers of what is done with key pairs, and the keys to them, which are published: they protect nothing. RSA: Wycheproof,
 * rsa_oaep_2048_sha256_mgf1sha256_test.json and rsa_pss_2048_sha256_mgf1_32_test.json, test 3 of each. PKCS #1 v1.5: computed from RFC
 * 8017, 8.2.1, with the integers of another language, over the same key and message.
 */

/** ASCII of `Test`, which all of the RSA answers are about. */
export const RSA_MESSAGE = Buffer.from('Test', 'ascii');

export const RSA_PRIVATE_KEY = Buffer.from(
  'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQCitFGgfQql+W5FVnFRNVBRSopbRi6+9xcJT6H+6CIk5jf5dG0/fK/TGHjYAyW271oX' +
    'APZZA7RpQp6J1urIhFCXtas5MYnbklEu2KdxGhJT+s0g95wV6CR/PT5C5G5IyY4lSi/pdlMToD7/jxfhoCk5eh+iao3OJvSQ7YEplhXZgUwi2mEEKOCc' +
    'fZZYWUJm9cAh0PzsoI2UWhK+gt5NHs5rTAMUW100ldTtVBHrh42vBf16/D4JraDxEmQi9ZCXWhlpgW9IaYvLuhtNnK551GDY+fheeXUAXZvCLE5awPfB' +
    'pF0SVppigH07mgLlpTDncwZvRT0fW0wunPeCAoP3QrnVAgMBAAECggEAJM3GIxf11ypva6bMljKJmwHR/yiGfXL2FoiZW8hVpOQgqEBSUAib2xPPjglU' +
    'OCe3SLnSf7srTZ4gr4xaaoYnltGkzBitFupni8G9SoO7vpxeV0U7XOc4jkGjukzit3tEOKIp6VT3INrgNT3AiKyKdrJtwnb44beFHd1jmK0W/y54GVEj' +
    'ubA26UXDjJ0SQ09t92/iI1nrPhrJwBFnj8km+tOuR1pP//9V/rLRR+nIlPTA4ppZnnYkYkgtlov0J4CUX8DSwxxXPEQxuPT+i4xnvsgVq9RPeobtyhwj' +
    'CHNzWNLCrl4uDi2t9zCYAmI3flixO32ZkgYKC8hwzP20qTGe4QKBgQDcQxBQ94LolPtSSCR9mMt9WLjR4k87VdBBxW5N4Iaw1bsCi9pC7rXSNNVoHlgJ' +
    '1BXmoomtTPv3j5ePbDWBT1Duv/HFuApp94joHmurXdqng2nWWdFD7G8X55gTpXXPrZxWkVa5ARPi6REK2ee0ihyTSKbmUzIRkSkOo2z7OlsY8QKBgQC9' +
    'GoHnl3+YmBIic64yIrWY6l+xnrTqvDgwil4yGWYDsuUA/7efW4hoFmEd68Ry+sRVRAcL6wV8lBN4poaK87egPT+YgOxH1eCJuU+95UKrqa6NcsVwiNer' +
    '9bEx85CY97wWD5BTaryUkv1OBvPtcpnUuXuwNncgfZVmnxQM+8IPJQKBgQCpS1KLKPKRWZEh2RlS/9HH8h18FHnZnUeIhfsWGHDuEhi/CEcmEtvlSX6N' +
    'nGUGiOCceGlhrj4sNU3EiuNFFHWcTCPEWISIlh3Aa0FOYcDh5/u9KSPTFTL+KJ+W2iIHEeWMFAGYCOAEFCdpM7sH5O+5tKmzdlaRcgUgnzPwlRXXwQKB' +
    'gDrw5yqTOu8J/yUD33i6/tUxwC/xorxDfFQM3L1K01Q1z1EXY1llQ0gGKbEUyn94D/fvoy6gy24ADW2eofLvcf2c+ZSEIqFlVX4351Xt/nDZC5IFAutH' +
    'i8mKY/eIzjoPhW1u3nJRo4O/qPpICoGpJa97PMU4xLq4yfdZf/toAR2NAoGAJkD7+8/vsWPueoe2SDpm7kH5VtkPqKeTm/wELuCSSxt5k9BEX3WNUZM+' +
    'hRecAyCwyWi0ipHDi1vpI+EJfAxWL4jUIpS2onWbr6VCinTxJwh05F9vzGDyFgLeXszRQ88xJB9ZIbWtOYP7VO8XvjsoU2flDJmcZyR7VS/kv86UX3s=',
  'base64',
);
export const RSA_OAEP_SHA256_CIPHERTEXT = Buffer.from(
  '5eab3f0741e63986ed647d53e1cd71df041986900803d0f99c68355d249a15a47dc5b4f70a191477654299e5a2731f3b4eec76dea18262fc696a' +
    'c794e5f66cbfcddac4472c578e246c26707598055584540b839836b1404c5611ae558a984cee8fd036cea924e0be2474a940f61e0acc14fcae95' +
    'ebdc59942a9ce9af9a9c81999f7f6815f057ffdc2533cb15d6391d1e2d95f16f9c04209c889a4c359c7d2926d28a66e2b030a416b928d2825627' +
    '998e5191fb4983a6e65024262d94fc09187a2d78162122433251d1bfcc8e507d06eba2d229c10031261da32ab8ccd15f1c5f9fbf07ed158483d7' +
    '36a110af4b44d6a4da60d6cb519b4454213cf9f0dc560f2b',
  'hex',
);
export const RSA_PSS_SHA256_SIGNATURE = Buffer.from(
  '401eb03cdb47ca88033e3030f6bdecbac8f5c8fc1dd6a13d23d379ed9a2b309891d13d74fea9d21d159b9e6d8f37efa2489962e24555f56dd434' +
    'ff1d31ce4f9f5abd3f22cbea8b691d6a11e44efb83e2bca155e6a164325e0fde2a8865afd5c9f51161a9d615f62af7ec2e31b3e5ab649c164490' +
    'd31d88cfae35b84aea7925690f929a144b6d2f48e8fb894a52deecd1b9a6496990c4ecf1588699a42cacd10c53af350514e4291ea9a058e77f10' +
    '1e32c1c0cefa61d945f7bc931f8bd19e7ba3169358a60e5a8b0123bc3199b9fdcafe8e519c41ba675491a27b85e44ef2d77277c10fe107293c82' +
    '90186913bc9a99b640d8da041b64f31eab1d35920985f4a5',
  'hex',
);
export const RSA_PKCS1_SHA256_SIGNATURE =
  '264491e844c119f14e425c03282139a558dcdaeb82a4628173cd407fd319f9076eaebc0dd87a1c22e4d17839096886d58a9d5b7f7aeb63efec56' +
  'c45ac7bead4203b6886e1faa90e028ec0ae094d46bf3f97efdd19045cfbc25a1abda2432639f9876405c0d68f8edbf047c12a454f7681d5d5a2b' +
  '54bd3723d193dbad4338baad753264006e2d08931c4b8bb79aa1c9cad10eb6605f87c5831f6e2b08e002f9c6f21141f5841d92727dd3e1d99c36' +
  'bc560da3c9067df99fcaf818941f72588be33032bad22caf6704223bb114d575b6d02d9d222b580005d930e8f40cce9f672eebb634a20177d843' +
  '51627964b83f2053d736a84ab1a005f63bd5ba943de6205c';
/** ML-KEM-512 of the seed 00 to 3f, encapsulated from the message ff to e0: computed by another implementation of FIPS 203 (@noble/post-quantum). */
export const ML_KEM_512_CIPHERTEXT = Buffer.from(
  '4b4JQ7OMx8zfuvLRaTWJbdYo+5pJeAnp97eTNFQq4R8xAw7VW42OoaS3u0/t0OlLZori7Mh+5d+O0bpqJShoI44NKlIeTo20NU4SdoK7Yaa88ITfBVk4' +
    'QY2Hbrc235f8CBnBTXH4SumpchimQeddGz5vp9YbDldHX/ENyxNE0kDcejI9EFhyYkRpw8mJXo4fOGAr8jiji8RzLF08aX/t0fyUSGyz/kmz1kknP3rD' +
    'B8dWFIw9X3X8z1IJt9eLOj5Mym2OSNrKmn9cCC9FxRI1pHwPy3djLSeuvOS54eviNfD9i+oEaerwmKA5nN9vx5FioicUoF1RLJ7VYJHKVjjyJeAbyMGj' +
    '7kab8fpkVl+Qxb5d1wtQcjNa08s0i7+s1Zd8LbmpnRwvJLk2chNELABhCG76whf0zCE5dw9Yd1ZIgmyzBcZjNITRWDQC8XpxDVBNiVwMwnDzW3rKIStm' +
    'jhckO641p2e0ISrxfA7V5mkIucVftK3P6usQ1tWbeT0HxUS6Ij+He6bD7z6qBtzzVnXWrOUgD9cSabxhotcgQScje85o9XbfH8jFxxBZFjtrsNVM+t0C' +
    'AQ+kV0EA01Sw/LKTtddbMV1Op3Kqjmb7EQYDqwprOuxD0hN7CmdlxWFvivI2CorUk4emurJ78/ZjQDL7ECGohQt0bJJ9E5jbovIq2CVR8F20V+oq2VlB' +
    '8PGPg/b8q59Fgex5/lSxiq1lWPMOyHKkdE1nKIpHd4qxgHGGINPn/BybfkI26kUgrZ9AQpVjdo53WCz3q3Yz3A+3s/MZxXxzqNP3YkTRh2SSJg+nji4t' +
    'pEjzoq/v6IHyx883EnK/xsX7fkj3YQZkd2kN70Fnzz2h1BXjZQL13eXSB2ymJQEwPqx6D/4P/xaXmn/h7OC3aMoU++3jFmGZ9w9VJOnLXRljOcy4m23S' +
    '4nmLrFQDb3ZWablZR7UszcNvkAvBAK4bez//nyyd0JaRwJdg80AHdb3g3MObWQ45lEU2ygarD+CAYt9pIMA4qfvgkjSnsYml',
  'base64',
);

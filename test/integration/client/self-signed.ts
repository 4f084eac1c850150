import { generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/**
 * A certificate for `localhost` that has signed itself, made anew for each run, so that no key lies in the
 * repository. X.509 v3 (RFC 5280) in DER, as short as it may be: an EC key, one name, one SAN.
 */
export function selfSigned(name = 'localhost'): { readonly cert: string; readonly key: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
  const commonName = sequence(
    tagged(0x31, sequence(oid('550403'), tagged(0x0c, Buffer.from(name)))),
  )
  const day = 86_400_000
  const validity = sequence(utcTime(Date.now() - day), utcTime(Date.now() + day))
  // 2 within the general names is a DNS name.
  const alternative = sequence(tagged(0x82, Buffer.from(name)))
  const extensions = tagged(0xa3, sequence(sequence(oid('551d11'), tagged(0x04, alternative))))
  const body = sequence(
    tagged(0xa0, tagged(0x02, Buffer.from([2]))),
    tagged(0x02, Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    ecdsaWithSha256,
    commonName,
    validity,
    commonName,
    publicKey.export({ type: 'spki', format: 'der' }),
    extensions,
  )
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, privateKey)])
  const der = sequence(body, ecdsaWithSha256, tagged(0x03, signature))
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${lines(der.toString('base64'))}-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
}

function tagged(tag: number, content: Buffer): Buffer {
  const { length } = content
  const head =
    length < 0x80
      ? [tag, length]
      : length < 0x100
        ? [tag, 0x81, length]
        : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts))
}

function oid(hex: string): Buffer {
  return tagged(0x06, Buffer.from(hex, 'hex'))
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(2, 14)
  return tagged(0x17, Buffer.from(`${digits}Z`))
}

function lines(text: string): string {
  return text.replaceAll(/.{1,64}/g, '$&\n')
}

import assert from 'node:assert/strict'

export interface RouterFacts {
  readonly method?: string
  readonly path?: string
  readonly host?: string
  readonly id?: string
  readonly connect?: number
  readonly service?: number
  readonly status?: number
  readonly bytes?: number
  readonly atMs?: number
}

/** LEN and content. */
export function frameOf(content: string): string {
  return `${Buffer.byteLength(content)} ${content}`
}

let lines = 0

export function routerFrame(facts: RouterFacts = {}): string {
  const { method = 'GET', path = '/', host = 'shop.example', connect = 1, service = 2 } = facts
  const { status = 200, bytes = 3, id = `r-${++lines}`, atMs = Date.now() } = facts
  return frameOf(
    `<158>1 ${new Date(atMs).toISOString()} host heroku router - at=info method=${method} path="${path}" host=${host} request_id=${id} fwd="203.0.113.9" dyno=web.1 connect=${connect}ms service=${service}ms status=${status} bytes=${bytes} protocol=https\n`,
  )
}

export function appFrame(text: string): string {
  return frameOf(`<190>1 ${new Date().toISOString()} host app web.1 - ${text}\n`)
}

let frames = 0

/** Posts one body as a Logplex would, and expects it to be taken. */
export async function postBody(
  url: string,
  body: string,
  id = (++frames).toString(16).toUpperCase().padStart(32, '0'),
): Promise<void> {
  const response = await fetch(new URL('/logs', url), {
    method: 'POST',
    body,
    headers: {
      'Content-Type': 'application/logplex-1',
      'Logplex-Frame-Id': id,
      'Logplex-Drain-Token': 'd.01234567-89ab-cdef-0123-456789abcdef',
      'User-Agent': 'Logplex/v72',
    },
  })
  assert.equal(response.status, 200)
  assert.equal(await response.text(), '')
}

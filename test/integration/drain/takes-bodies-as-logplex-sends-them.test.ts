import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { describe, it } from 'node:test'
import { gzipSync } from 'node:zlib'

import {
  startDrain,
  type Drain,
  type DrainMessage,
  type DrainOptions,
} from '../../../packages/millrace/src/drain/index.ts'

const frame = (msg: string, procid = 'web.1'): string => {
  const text = `<190>1 2026-01-01T00:00:00Z host app ${procid} - ${msg}\n`
  return `${Buffer.byteLength(text)} ${text}`
}

interface Opened extends AsyncDisposable {
  readonly drain: Drain
  readonly sent: DrainMessage[]
}

async function open(options: Partial<DrainOptions> = {}): Promise<Opened> {
  const sent: DrainMessage[] = []
  const producer = { send: (message: DrainMessage) => Promise.resolve(void sent.push(message)) }
  const drain = await startDrain({ port: 0, producer, ...options })
  return { drain, sent, [Symbol.asyncDispose]: () => drain.stop() }
}

/** One raw connection, so that the very bytes of an answer are seen. */
class Line implements AsyncDisposable {
  readonly #socket: Socket
  #text = ''

  constructor(socket: Socket) {
    this.#socket = socket
    socket.setEncoding('latin1').on('data', (text: string) => (this.#text += text))
  }

  static async to(drain: Drain): Promise<Line> {
    const socket = connect(drain.port, '127.0.0.1')
    await once(socket, 'connect')
    return new Line(socket)
  }

  write(text: string | Buffer): void {
    this.#socket.write(text)
  }

  /** Head of the next answer; a body would be read as the next head and fail there. */
  async answer(): Promise<string> {
    const signal = AbortSignal.timeout(10_000)
    while (!this.#text.includes('\r\n\r\n')) await once(this.#socket, 'data', { signal })
    const end = this.#text.indexOf('\r\n\r\n') + 4
    const head = this.#text.slice(0, end)
    this.#text = this.#text.slice(end)
    return head
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.destroy()
    await Promise.resolve()
  }
}

const post = (body: string | Buffer, headers: Readonly<Record<string, string>> = {}): Buffer => {
  const lines = Object.entries({
    Host: 'drain',
    'Content-Type': 'application/logplex-1',
    'Logplex-Drain-Token': 'd.01234567-89ab-cdef-0123-456789abcdef',
    'User-Agent': 'Logplex/v72',
    'Content-Length': String(Buffer.byteLength(body)),
    ...headers,
  }).map(([name, value]) => `${name}: ${value}\r\n`)
  return Buffer.concat([
    Buffer.from(`POST /logs HTTP/1.1\r\n${lines.join('')}\r\n`),
    Buffer.from(body),
  ])
}

/** One chunk of chunked transfer coding (RFC 9112 7.1). */
const chunk = (bytes: Buffer): Buffer =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])

describe('the drain over a socket', () => {
  it('answers 1,000 posts on one connection with 200 OK, no body and no 1xx', async () => {
    await using opened = await open()
    await using line = await Line.to(opened.drain)
    for (let index = 0; index < 1000; index++) {
      line.write(post(frame(`n=${index}`), { 'Logplex-Frame-Id': `F${index}` }))
      const answer = await line.answer()
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\n/)
      assert.match(answer, /\r\ncontent-length: 0\r\n/i)
      assert.doesNotMatch(answer, /transfer-encoding|connection: close/i)
    }
    assert.equal(opened.sent.length, 1000)
  })

  it('gives no 100 to Expect, only the final answer', async () => {
    await using opened = await open()
    await using line = await Line.to(opened.drain)
    const bytes = post(frame('a'), { Expect: '100-continue' })
    const headEnd = bytes.indexOf('\r\n\r\n') + 4
    line.write(bytes.subarray(0, headEnd))
    line.write(bytes.subarray(headEnd))
    assert.match(await line.answer(), /^HTTP\/1\.1 200 OK/)
    line.write(post(frame('b'), { Expect: 'miracles' }))
    assert.match(await line.answer(), /^HTTP\/1\.1 200 OK/)
  })

  it('reads what log-shuttle sends: chunked, gzipped, structured data, no token', async () => {
    await using opened = await open()
    await using line = await Line.to(opened.drain)
    const text = '<190>1 2026-01-01T00:00:00Z shuttle token web.1 - - hello\n'
    const zipped = gzipSync(`${text.length} ${text}`)
    const half = zipped.length >> 1
    for (const id of ['x', 'x', 'y']) {
      line.write(
        `POST / HTTP/1.1\r\nHost: drain\r\nUser-Agent: log-shuttle/0.18.0\r\nX-Request-Id: ${id}\r\nContent-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n`,
      )
      line.write(chunk(zipped.subarray(0, half)))
      line.write(chunk(zipped.subarray(half)))
      line.write('0\r\n\r\n')
      assert.match(await line.answer(), /^HTTP\/1\.1 200 OK/)
    }
    assert.deepEqual(
      opened.sent.map(({ value }) => (JSON.parse(String(value)) as { msg: string }).msg),
      ['hello\n', 'hello\n'],
    )
  })

  it('takes a body with a wrong count, and counts it', async () => {
    await using opened = await open()
    await using line = await Line.to(opened.drain)
    line.write(post(frame('a') + frame('b'), { 'Logplex-Msg-Count': '7' }))
    assert.match(await line.answer(), /^HTTP\/1\.1 200 OK/)
    assert.equal(opened.drain.counts().total.countMismatches, 1)
    assert.equal(opened.sent.length, 2)
  })

  it('says no with the right number, and stays usable on the same connection', async () => {
    await using opened = await open({
      credentials: [{ user: 'shop', key: 'secret-1' }],
      strict: true,
      maxBody: 2000,
    })
    await using line = await Line.to(opened.drain)
    const key = { Authorization: `Basic ${btoa('shop:secret-1')}` }
    const refused: readonly (readonly [Buffer, RegExp])[] = [
      [post(frame('a')), /^HTTP\/1\.1 401 /],
      [
        Buffer.from(post(frame('a'), key).toString().replace('/logs', '/elsewhere')),
        /^HTTP\/1\.1 404 /,
      ],
      [
        Buffer.from('GET /logs HTTP/1.1\r\nHost: drain\r\n\r\n'),
        /^HTTP\/1\.1 405 [^]*allow: POST/i,
      ],
      [post(frame('x'.repeat(3000)), key), /^HTTP\/1\.1 413 /],
      [
        post(gzipSync(frame('x'.repeat(30_000))), { ...key, 'Content-Encoding': 'gzip' }),
        /^HTTP\/1\.1 413 /,
      ],
      [post('this is no gzip', { ...key, 'Content-Encoding': 'gzip' }), /^HTTP\/1\.1 400 /],
      [post(frame('a'), { ...key, 'Content-Type': 'text/plain' }), /^HTTP\/1\.1 415 /],
      [post('no frame', key), /^HTTP\/1\.1 400 /],
      [post(frame('a'), key), /^HTTP\/1\.1 200 OK/],
      [
        Buffer.from(post(frame('b')).toString().replace('/logs', '/logs?key=secret-1')),
        /^HTTP\/1\.1 200 OK/,
      ],
    ]
    for (const [bytes, expected] of refused) {
      line.write(bytes)
      assert.match(await line.answer(), expected)
    }
    assert.deepEqual(opened.drain.counts().answers, {
      '200': 2,
      '400': 2,
      '401': 1,
      '404': 1,
      '405': 1,
      '413': 2,
      '415': 1,
    })
  })

  it('answers 503 while the broker is away, and 200 to the copy that comes after', async () => {
    const waiting: (() => void)[] = []
    const sent: DrainMessage[] = []
    await using opened = await open({
      hold: 50,
      producer: {
        send: (message) =>
          new Promise((resolve) => {
            sent.push(message)
            waiting.push(() => resolve(undefined))
          }),
      },
    })
    await using line = await Line.to(opened.drain)
    const bytes = post(frame('a'), { 'Logplex-Frame-Id': 'F' })
    line.write(bytes)
    assert.match(await line.answer(), /^HTTP\/1\.1 503 [^]*content-length: 0/i)
    assert.ok(opened.drain.held > 0, 'what is not written yet counts as held')
    for (const acknowledge of waiting.splice(0)) acknowledge()
    line.write(bytes)
    assert.match(await line.answer(), /^HTTP\/1\.1 200 OK/)
    assert.equal(sent.length, 1)
    assert.equal(opened.drain.held, 0)
  })

  it('holds no more bodies than its budget, and takes all of them in the end', async () => {
    const waiting: (() => void)[] = []
    let most = 0
    await using opened = await open({
      inFlight: 5000,
      producer: {
        send: () =>
          new Promise((resolve) => {
            most = Math.max(most, opened.drain.held)
            waiting.push(() => resolve(undefined))
          }),
      },
    })
    const lines = await Promise.all(Array.from({ length: 8 }, () => Line.to(opened.drain)))
    for (const line of lines) line.write(post(frame('x'.repeat(1900))))
    const answers = lines.map((line) => line.answer())
    let isPumping = true
    const pump = (): void => {
      for (const acknowledge of waiting.splice(0)) acknowledge()
      if (isPumping) setImmediate(pump)
    }
    pump()
    for (const answer of answers) assert.match(await answer, /^HTTP\/1\.1 200 OK/)
    isPumping = false
    assert.ok(most > 0 && most <= 5000, `held ${most}`)
    await Promise.all(lines.map((line) => line[Symbol.asyncDispose]()))
  })

  it('keeps nothing of a body whose connection broke', async () => {
    await using opened = await open()
    const line = await Line.to(opened.drain)
    const bytes = post(frame('a') + frame('b'))
    line.write(bytes.subarray(0, bytes.length - 20))
    await line[Symbol.asyncDispose]()
    await using next = await Line.to(opened.drain)
    next.write(post(frame('c')))
    assert.match(await next.answer(), /^HTTP\/1\.1 200 OK/)
    assert.equal(opened.sent.length, 1)
  })
})

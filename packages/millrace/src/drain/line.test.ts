import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import * as fc from 'fast-check'

import { readRouterLine, routerFields, type RouterLine } from './line.ts'

const today =
  'at=info method=GET path="/haiwen/seafile?p=1" host=api.example.com request_id=5e1e5a0b-4b9f-4c5c-9d8a-0b0d8f1a2b3c fwd="203.0.113.9, 10.0.0.1" dyno=web.1 connect=0ms service=166ms status=200 bytes=36360 protocol=https tls=true tls_version=tls1.3\n'

const some = (line: RouterLine): Record<string, unknown> => ({
  path: line.path,
  dyno: line.dyno,
  status: line.status,
  bytes: line.bytes,
  complete: line.complete,
  ambiguous: line.ambiguous,
})

describe('router line', () => {
  it('reads every field of a line of today', () => {
    assert.deepEqual(routerFields(readRouterLine(today)), {
      at: 'info',
      method: 'GET',
      path: '/haiwen/seafile?p=1',
      host: 'api.example.com',
      request_id: '5e1e5a0b-4b9f-4c5c-9d8a-0b0d8f1a2b3c',
      fwd: '203.0.113.9, 10.0.0.1',
      dyno: 'web.1',
      connect_ms: 0,
      service_ms: 166,
      status: 200,
      bytes: 36360,
      protocol: 'https',
      tls: true,
      tls_version: 'tls1.3',
      complete: true,
      ambiguous: false,
    })
  })

  it('reads the line of 2016', () => {
    const line = readRouterLine(
      'at=info method=GET path="/haiwen/seafile" host=demo.herokuapp.com request_id=67ad3b2c-1111-4222-8333-944455556666 fwd="54.1.2.3" dyno=web.1 connect=0ms service=166ms status=200 bytes=36360',
    )
    assert.equal(line.complete, true)
    assert.deepEqual(
      [line.method, line.path, line.connectMs, line.serviceMs, line.status, line.bytes],
      ['GET', '/haiwen/seafile', 0, 166, 200, 36360],
    )
  })

  it('reads bare paths, bare numbers and queue of the first routers', () => {
    const line = readRouterLine(
      'at=info method=GET path=/a b/c host=x.example fwd=1.2.3.4/a,2.3.4.5 dyno=web.1 queue=0 wait=0ms connect=84 service=9 status=200 bytes=12',
    )
    assert.deepEqual(
      [line.path, line.queue, line.wait, line.connectMs, line.serviceMs, line.requestId],
      ['/a b/c', '0', '0ms', 84, 9, null],
    )
    assert.equal(line.complete, true)
    assert.equal(line.ambiguous, false)
  })

  for (const [code, text, expected] of hLines()) {
    it(`reads ${code}`, () => {
      const line = readRouterLine(text)
      assert.deepEqual([line.code, line.status, line.complete], [code, expected, true])
    })
  }

  it('reads H26 with its cause, and keeps empty values apart from zero', () => {
    const line = readRouterLine(
      'sock=client at=error code=H26 desc="Request Error" cause="invalid header name" method=GET path="/" host=h.example request_id=r fwd="::1" dyno= connect= service= status=400 bytes=26 protocol=http',
    )
    assert.deepEqual(
      [line.sock, line.cause, line.dyno, line.connectMs, line.serviceMs, line.status],
      ['client', 'invalid header name', '', null, null, 400],
    )
    assert.equal(line.complete, true)
  })

  it('is not fooled by a forged tail inside the path', () => {
    const line = readRouterLine(
      'at=info method=GET path="/x" dyno=web.9 connect=1ms service=1ms status=200 bytes=1" host=h.example request_id=r fwd="1.2.3.4" dyno=web.1 connect=2ms service=3ms status=404 bytes=9 protocol=https',
    )
    assert.deepEqual(some(line), {
      path: '/x" dyno=web.9 connect=1ms service=1ms status=200 bytes=1',
      dyno: 'web.1',
      status: 404,
      bytes: 9,
      complete: true,
      ambiguous: true,
    })
    assert.deepEqual([line.host, line.fwd], ['h.example', '1.2.3.4'])
  })

  it('is not fooled by a forged tail inside the agent', () => {
    const line = readRouterLine(
      'at=info method=GET path="/x" host=h request_id=r fwd="1.2.3.4" dyno=web.1 connect=2ms service=3ms status=404 bytes=9 protocol=https tls=true tls_version=tls1.2 agent="evil dyno=web.9 connect=1ms service=1ms status=200 bytes=1"',
    )
    assert.deepEqual([line.dyno, line.status, line.bytes], ['web.1', 404, 9])
    assert.equal(line.agent, 'evil dyno=web.9 connect=1ms service=1ms status=200 bytes=1')
    assert.deepEqual([line.complete, line.ambiguous], [true, true])
  })

  it('flags a forged host and keeps the tail', () => {
    const line = readRouterLine(
      'at=info method=GET path="/x" host=h request_id=r fwd="a host=evil" dyno=web.1 connect=2ms service=3ms status=404 bytes=9',
    )
    assert.deepEqual([line.status, line.ambiguous], [404, true])
  })

  it('keeps unknown keys, whatever they are called', () => {
    const line = readRouterLine(
      'at=info method=GET path="/" host=h request_id=r fwd="1.2.3.4" region=eu dyno=web.1 connect=1ms service=2ms status=200 bytes=3 __proto__=x zone=b',
    )
    assert.deepEqual(line.extra, [
      ['region', 'eu'],
      ['__proto__', 'x'],
      ['zone', 'b'],
    ])
    assert.deepEqual([line.fwd, line.bytes, line.complete], ['1.2.3.4', 3, true])
    assert.match(JSON.stringify(routerFields(line)), /"__proto__":"x"/)
  })

  it('counts a line whose agent was cut, and none that was cut before', () => {
    const whole =
      'at=info method=GET path="/" host=h request_id=r fwd="1.2.3.4" dyno=web.1 connect=1ms service=2ms status=200 bytes=3'
    assert.equal(readRouterLine(`${whole} agent="Mozilla/5.0 (compat`).complete, true)
    for (let end = 0; end < whole.length - 1; end++) {
      assert.equal(readRouterLine(whole.slice(0, end)).complete, false, whole.slice(0, end))
    }
  })

  it('says what it could read of a line that ends early', () => {
    const line = readRouterLine('at=info method=GET path="/long?q=aaaaaaaa')
    assert.deepEqual([line.method, line.path, line.complete], ['GET', '/long?q=aaaaaaaa', false])
  })

  it('never lets a client choose status, bytes, dyno or timings', () => {
    // Whatever a client puts into its four places, the tail that the router wrote is what is read.
    const piece = fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom('"', ' ', '" ', ' "', '=', 'agent="x" '),
      fc.constantFrom(
        'dyno=web.9',
        'status=200',
        'bytes=1',
        'host=e',
        'path="/y"',
        'fwd="9"',
        'service=1ms',
      ),
    )
    const hostile = fc
      .array(piece, { maxLength: 8 })
      .map((parts) => parts.join(' ').replaceAll(/[\r\n]/g, ''))
    fc.assert(
      fc.property(hostile, hostile, hostile, (path, requestId, fwd) => {
        const line = readRouterLine(
          `at=info method=GET path="${path}" host=h request_id=${requestId} fwd="${fwd}" dyno=web.1 connect=2ms service=3ms status=404 bytes=77`,
        )
        assert.deepEqual(
          [line.dyno, line.connectMs, line.serviceMs, line.status, line.bytes, line.method],
          ['web.1', 2, 3, 404, 77, 'GET'],
        )
      }),
      { numRuns: 2000 },
    )
  })
})

function hLines(): readonly (readonly [string, string, number | null])[] {
  const after = 'method=GET path="/" host=h.example request_id=r fwd="1.2.3.4" dyno=web.1'
  return [
    [
      'H10',
      `at=error code=H10 desc="App crashed" ${after} connect= service= status=503 bytes= protocol=http`,
      503,
    ],
    [
      'H12',
      `at=error code=H12 desc="Request timeout" ${after} connect=6ms service=30001ms status=503 bytes=0`,
      503,
    ],
    [
      'H13',
      `sock=backend at=error code=H13 desc="Connection closed without response" ${after} connect=1ms service=5ms status=503 bytes=0`,
      503,
    ],
    [
      'H18',
      `sock=backend at=error code=H18 desc="Server Request Interrupted" ${after} connect=1ms service=5ms status=503 bytes=234`,
      503,
    ],
    [
      'H24',
      `at=info code=H24 desc="Forced close" ${after} connect=1ms service=80000ms status= bytes=18`,
      null,
    ],
    [
      'H27',
      `sock=client at=warning code=H27 desc="Client Request Interrupted" ${after} connect=1ms service=5ms status=499 bytes=0`,
      499,
    ],
    [
      'H31',
      `code=H31 desc="Misdirected Request" ${after} connect= service= status=421 bytes=`,
      421,
    ],
    [
      'H80',
      `at=info code=H80 desc="Maintenance mode" ${after.replace('web.1', '')} connect= service= status=503 bytes=`,
      503,
    ],
    [
      'H99',
      `at=error code=H99 desc="Platform error" ${after} connect= service= status=503 bytes=`,
      503,
    ],
  ]
}

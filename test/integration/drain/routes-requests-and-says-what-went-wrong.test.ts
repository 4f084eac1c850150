import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, request as httpRequest, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, it } from 'node:test'

import { startRouter, type RoutedLine } from '../../../packages/millrace/src/drain/index.ts'
import { readBody } from '../../../packages/millrace/src/drain/body.ts'

interface Routed {
  readonly line: RoutedLine
  readonly text: string
  readonly isComplete: boolean
}

/** One request through a router to a site of ours. */
async function routed(site: RequestListener | undefined, leaveAfterMs?: number): Promise<Routed> {
  const backend = createServer(site ?? (() => undefined))
  backend.listen(0, '127.0.0.1')
  await once(backend, 'listening')
  const { port } = backend.address() as AddressInfo
  if (!site) await new Promise((resolve) => backend.close(resolve))
  const { promise: line, resolve: seen } = Promise.withResolvers<RoutedLine>()
  await using router = await startRouter({
    backend: `http://127.0.0.1:${port}/`,
    onLine: seen,
    answerTimeoutMs: 200,
  })
  const outgoing = httpRequest(
    {
      hostname: '127.0.0.1',
      port: router.port,
      path: '/a?b=c',
      headers: { Host: 'shop.example', 'X-Request-Id': 'r-1', 'X-Forwarded-For': '203.0.113.9' },
    },
    (response) => response.on('error', () => undefined).resume(),
  )
  outgoing.on('error', () => undefined).end()
  if (leaveAfterMs !== undefined) setTimeout(() => outgoing.destroy(), leaveAfterMs)
  const found = await line
  backend.closeAllConnections()
  backend.close()
  const content = found.content
  const frame = Buffer.concat([Buffer.from(`${content.length} `), content])
  const [read] = readBody(frame, 'absent', Date.now() * 1000)
  return {
    line: found,
    text: content.toString(),
    isComplete: read?.read.topic === 'router' && !read.read.isIncomplete && !read.read.isAmbiguous,
  }
}

describe('simulated router', () => {
  it('measures a request that went well', async () => {
    const { line, text, isComplete } = await routed((_request, response) =>
      response.writeHead(200, { 'Content-Length': 5 }).end('hello'),
    )
    assert.deepEqual([line.status, line.bytes, line.code, isComplete], [200, 5, null, true])
    assert.match(
      text,
      /^<158>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}\+00:00 host heroku router - at=info method=GET path="\/a\?b=c" host=shop\.example request_id=r-1 fwd="203\.0\.113\.9, 127\.0\.0\.1" dyno=web\.1 connect=\d+ms service=\d+ms status=200 bytes=5 protocol=http\n$/,
    )
  })

  for (const [code, status, site, leaveAfterMs] of [
    ['H12', 503, () => undefined, undefined],
    ['H13', 503, (request) => request.socket.destroy(), undefined],
    [
      'H18',
      503,
      (request, response) => {
        response
          .writeHead(200, { 'Content-Length': 10 })
          .write('half', () => request.socket.destroy())
      },
      undefined,
    ],
    ['H21', 503, undefined, undefined],
    ['H27', 499, () => undefined, 30],
  ] as const satisfies readonly (readonly [
    string,
    number,
    RequestListener | undefined,
    number | undefined,
  ])[]) {
    it(`says ${code} when it happens`, async () => {
      const { line, text, isComplete } = await routed(site, leaveAfterMs)
      assert.deepEqual([line.code, line.status, isComplete], [code, status, true], text)
    })
  }
})

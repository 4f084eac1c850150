import { threadId } from 'node:worker_threads'
import { retry, skip } from '../../../../packages/millrace/src/app/outcome.ts'
import { defineThreadHandler } from '../../../../packages/millrace/src/app/threads/index.ts'
import { results, tasks } from './topics.ts'

export class Unpayable extends Error {
  readonly code = 'E_UNPAYABLE'
}

export default defineThreadHandler({
  topic: tasks,
  async each({ value, key, offset, headers }, ctx) {
    const text = value.text ?? ''
    switch (value.kind) {
      case 'spin': {
        const endMs = performance.now() + (value.ms ?? 0)
        while (performance.now() < endMs && !ctx.stopping && !ctx.aborted);
        if (ctx.aborted) throw ctx.signal.reason
        break
      }
      case 'deaf': {
        const endMs = performance.now() + (value.ms ?? 0)
        while (performance.now() < endMs);
        break
      }
      case 'wait':
        await new Promise((_resolve, reject) =>
          ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason as Error)),
        )
        break
      case 'send':
        void ctx.send(results, { key, value: { text: `${threadId}` }, headers: { of: text } })
        await ctx.send('raw', { value: Buffer.from('as it is') })
        break
      case 'throw':
        if (text === 'schema') await ctx.send(results, { value: { text: 7 } as never })
        if (text === 'forgotten') void ctx.send(results, { value: { text: 7 } as never })
        if (text === 'class') throw new Unpayable('no money')
        if (text === 'uncaught')
          setTimeout(() => {
            throw new Error('nobody catches it')
          })
        if (text === 'uncaught') await new Promise(() => {})
        if (text === 'plain') throw new TypeError('a plain one', { cause: new Error('beneath') })
        break
      case 'exit':
        if (ctx.attempt === 1) process.exit(7)
        break
      case 'eat': {
        const eaten: unknown[] = []
        for (;;) eaten.push(Array.from({ length: 10_000 }, (_, index) => ({ index })))
      }
      case 'retry':
        if (!ctx.retrying) return retry({ after: '5s' })
        break
      case 'skip':
        return skip(text)
      case 'respond':
        await ctx.respondWith({ text })
        break
    }
    ctx.log.info(
      { thread: threadId, headers: headers.length, f: () => {} },
      `${offset} ${value.kind}`,
    )
    return undefined
  },
})

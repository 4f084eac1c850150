import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import type { Worker } from '../../app/index.ts'
import { deferred } from '../../kit/index.ts'
import { listenKeys, type KeySource } from './hotkeys.ts'
import { startLiveWorker, type LiveWorkerParts } from './live-worker.ts'

/** As much of a worker as is asked for here. */
function fakeWorker(
  said: string[],
  name: string,
): Worker & { readonly end: (code: number) => void } {
  const done = deferred<number>()
  const stop = (): Promise<number> => {
    said.push(`stop ${name}`)
    done.resolve(0)
    return done.promise
  }
  const worker = {
    done: done.promise,
    stop,
    end: (code: number) => done.resolve(code),
    [Symbol.asyncDispose]: async () => void (await stop()),
  }
  return worker as unknown as Worker & { readonly end: (code: number) => void }
}

function parts(said: string[], loads: readonly (string | Error)[]): LiveWorkerParts<string> {
  let at = 0
  return {
    load: () => {
      const next = loads[at++] ?? new Error('no more')
      return typeof next === 'string' ? Promise.resolve(next) : Promise.reject(next)
    },
    validate: (config) => {
      if (config === 'refused') throw new Error('refused')
    },
    start: (config) => {
      said.push(`start ${config}`)
      if (config.startsWith('broken')) return Promise.reject(new Error('no database'))
      return Promise.resolve(fakeWorker(said, config))
    },
    note: (line) => said.push(`note ${line.split('\n')[0]}`),
    nowMs: () => 0,
  }
}

describe('a live worker', () => {
  it('stops the old code only when the new one can be used', async () => {
    const said: string[] = []
    await using live = await startLiveWorker(
      'one',
      parts(said, [new Error('syntax'), 'refused', 'two']),
    )
    await live.restart('a.ts changed')
    await live.restart('a.ts changed')
    await live.restart('a.ts changed')
    assert.deepEqual(said, [
      'start one',
      'note a.ts changed, but cannot be used; the old code goes on:',
      'note a.ts changed, but cannot be used; the old code goes on:',
      'stop one',
      'start two',
      'note a.ts changed: the worker restarted in 0 ms',
    ])
  })

  it('goes back to the old code when the new one does not start, and tries again later', async () => {
    const said: string[] = []
    await using live = await startLiveWorker('one', parts(said, ['broken', 'two']))
    await live.restart('a.ts changed')
    assert.notEqual(live.worker, undefined)
    await live.restart('a.ts changed')
    assert.deepEqual(
      said.filter((line) => !line.startsWith('note')),
      ['start one', 'stop one', 'start broken', 'start one', 'stop one', 'start two'],
    )
  })

  it('takes changes that come during a restart together', async () => {
    const said: string[] = []
    await using live = await startLiveWorker('one', parts(said, ['two', 'three', 'four']))
    await Promise.all([1, 2, 3].map((number) => live.restart(`${number} changed`)))
    assert.deepEqual(
      said.filter((line) => line.startsWith('start')),
      ['start one', 'start two'],
    )
  })

  it('tells of a worker that ended by itself, and not of one that was replaced', async () => {
    const said: string[] = []
    await using live = await startLiveWorker('one', parts(said, ['two']))
    await live.restart('a.ts changed')
    const second = live.worker as ReturnType<typeof fakeWorker>
    second.end(1)
    assert.equal(await live.ended, 1)
  })
})

describe('hotkeys', () => {
  it('are single keys of a terminal, Ctrl-C among them, and gone afterwards', () => {
    const said: string[] = []
    let onData: ((data: Buffer) => void) | undefined
    const terminal = {
      isTTY: true,
      setRawMode: (isRaw: boolean) => void said.push(`raw ${isRaw}`),
      on: (_: string, listener: (data: Buffer) => void) => void (onData = listener),
      off: () => void (onData = undefined),
      resume() {},
      pause() {},
    } as unknown as KeySource
    const keys = [{ key: 'r', about: 'restart', run: () => void said.push('restart') }]
    {
      using _listening = listenKeys(terminal, keys, () => void said.push('interrupt'))
      onData?.(Buffer.from('Rx\u0003'))
    }
    assert.equal(onData, undefined)
    assert.deepEqual(said, ['raw true', 'restart', 'interrupt', 'raw false'])
    const pipe = { isTTY: false } as unknown as KeySource
    listenKeys(pipe, keys, () => undefined)[Symbol.dispose]()
  })
})

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'

import { DeliveredMessage } from '../message/message.ts'
import type { SourceMessage } from '../ports.ts'
import { defineTopic } from '../topic/define-topic.ts'
import { LaneSchedule, type LaneJob, type ScheduleRules } from './schedule.ts'

const topic = defineTopic('events')
const message = (offset: number, key: string | null): DeliveredMessage =>
  new DeliveredMessage(
    { topic: 'events', offset, key: key === null ? null : Buffer.from(key) } as SourceMessage,
    topic,
  )

const scheduleOf = (
  keys: readonly (string | null)[],
  rules: Partial<ScheduleRules> = {},
): LaneSchedule => {
  const schedule = new LaneSchedule({
    size: 4,
    orderBy: undefined,
    maxMessages: 1,
    isAlone: () => false,
    ...rules,
  })
  for (const [offset, key] of keys.entries()) schedule.add(message(offset, key))
  return schedule
}
const offsets = (job: LaneJob | undefined): readonly number[] | undefined =>
  job?.messages.map(({ offset }) => offset)
const finish = (schedule: LaneSchedule, job: LaneJob | undefined): void => {
  if (job === undefined) return
  for (const one of job.messages) one.isDone = true
  schedule.release(job, undefined)
}

describe('the schedule of lanes', () => {
  it('starts one message of a key at a time, in order, and others beside it', () => {
    const schedule = scheduleOf(['a', 'a', 'b', null, 'a'])
    const first = schedule.take()
    assert.deepEqual(offsets(first), [0])
    assert.deepEqual(offsets(schedule.take()), [2])
    assert.deepEqual(offsets(schedule.take()), [3])
    assert.equal(schedule.take(), undefined)
    finish(schedule, first)
    assert.deepEqual(offsets(schedule.take()), [1])
  })

  it('has no more lanes than it was given', () => {
    const schedule = scheduleOf(['a', 'b', 'c'], { size: 2 })
    const first = schedule.take()
    schedule.take()
    assert.equal(schedule.take(), undefined)
    finish(schedule, first)
    assert.deepEqual(offsets(schedule.take()), [2])
  })

  it('lets a key rest without a lane, and wakes keys in the order of their times', () => {
    const schedule = scheduleOf(['a', 'b', 'c', 'a', 'd'], { size: 1 })
    for (const untilMs of [300, 100, 200]) schedule.release(schedule.take() as LaneJob, untilMs)
    assert.deepEqual(offsets(schedule.take()), [4], 'another key flows')
    assert.equal(schedule.busy, 1)
    assert.equal(schedule.nextDueMs, 100)
    schedule.wake(250)
    assert.equal(schedule.readyScopes, 2)
    assert.equal(schedule.nextDueMs, 300)
    schedule.wakeAll()
    assert.equal(schedule.isResting, false)
    assert.equal(schedule.readyMessages, 4)
  })

  it('gives a batch whole keys, in the order of the log', () => {
    const schedule = scheduleOf(['a', 'b', 'a', 'c', 'b', 'a'], { maxMessages: 5 })
    const first = schedule.take()
    assert.deepEqual(offsets(first), [0, 1, 2, 4, 5], 'all of a and b')
    schedule.add(message(6, 'a'))
    assert.deepEqual(offsets(schedule.take()), [3], 'a is bound to the other lane')
    finish(schedule, first)
    assert.deepEqual(offsets(schedule.take()), [6])
  })

  it('keeps what must be alone out of batches', () => {
    const schedule = scheduleOf(['a', 'b', 'c', 'a'], {
      maxMessages: 10,
      isAlone: ({ offset }) => offset === 1 || offset === 3,
    })
    assert.deepEqual(offsets(schedule.take()), [0])
    assert.deepEqual(offsets(schedule.take()), [1])
    assert.deepEqual(offsets(schedule.take()), [2])
    assert.equal(schedule.take(), undefined)
  })

  it('puts what is left of a job back to the front of its key', () => {
    const schedule = scheduleOf(['a', 'a', 'a', 'b'], { maxMessages: 4 })
    const job = schedule.take() as LaneJob
    const [first, second] = job.messages
    if (first !== undefined) first.isDone = true
    schedule.release(job, 50)
    schedule.add(message(4, 'a'))
    assert.equal(second?.isDone, false)
    schedule.wake(50)
    assert.deepEqual(offsets(schedule.take()), [1, 2, 3, 4])
  })

  it('puts whatever orderBy cannot place into one common scope', () => {
    const schedule = scheduleOf(['a', 'b', 'c', 'd'], {
      orderBy: ({ offset }) => {
        if (offset === 0) throw new Error('no such field')
        return offset === 1 ? (undefined as unknown as string) : null
      },
    })
    const first = schedule.take()
    assert.deepEqual(offsets(first), [0])
    assert.deepEqual(offsets(schedule.take()), [2])
    assert.deepEqual(offsets(schedule.take()), [3], 'null has no order')
    assert.equal(schedule.take(), undefined)
    finish(schedule, first)
    assert.deepEqual(offsets(schedule.take()), [1])
  })

  it('tells scopes of different types apart', () => {
    const scopes = ['1', 1, 1n, true, Buffer.from('1')]
    const schedule = scheduleOf(
      scopes.map(() => 'k'),
      { size: 10, orderBy: ({ offset }) => scopes[offset] ?? null },
    )
    assert.equal(schedule.readyScopes, scopes.length)
  })
})

import { availableParallelism } from 'node:os'

/** How long after an answer the loop looks for the next request without sleeping. */
const lookMs = 0.1
/** A next request this soon after an answer comes from a client that has waited for it. */
const promptMs = 0.25
/** So many prompt requests in a row are a conversation. */
const promptBefore = 16
/** With more requests a turn than these the loop hardly sleeps, and looking would only make its turns shorter. */
const mostPerTurn = 4
/** Turns without a crowd before a conversation is looked for again. */
const crowdedTurns = 1000

/**
 * Keeps the event loop from going to sleep between the requests of a client that sends one, waits for the answer and
 * sends the next. Waking a sleeping thread takes longer than answering: on a virtual machine 50 us against 10.
 *
 * - It starts when 16 requests in a row came within 0.25 ms of an answer, and ends with the first pause of 0.1 ms: a
 *   client that sends a message every millisecond costs nothing, and the CPU spent is at most that of the conversation.
 * - Not with a single core, where it would take the time that the client needs.
 */
export class LoopWake {
  readonly #canLook: boolean
  readonly #nowMs: () => number
  readonly #nextTurn: (look: () => void) => void
  #arrived = 0
  #answeredMs = 0
  #prompt = 0
  #isLooking = false

  constructor({
    cores = availableParallelism(),
    nowMs = (): number => performance.now(),
    nextTurn = (look: () => void): void => void setImmediate(look),
  } = {}) {
    this.#canLook = cores > 1
    this.#nowMs = nowMs
    this.#nextTurn = nextTurn
  }

  /** Bytes came from a client. */
  arrived(): void {
    if (!this.#canLook || ++this.#arrived > 1) return
    const isPrompt = this.#nowMs() - this.#answeredMs < promptMs
    this.#prompt = isPrompt ? this.#prompt + 1 : 0
  }

  /** Answers of this turn were handed to a socket. */
  answered(): void {
    if (this.#arrived === 0) return
    if (this.#arrived > mostPerTurn) this.#prompt = -crowdedTurns
    this.#arrived = 0
    this.#answeredMs = this.#nowMs()
    if (this.#isLooking || this.#prompt < promptBefore) return
    this.#isLooking = true
    this.#nextTurn(this.#look)
  }

  readonly #look = (): void => {
    const isOver = this.#nowMs() - this.#answeredMs >= lookMs
    if (isOver) this.#prompt = 0
    this.#isLooking = this.#prompt >= promptBefore
    if (this.#isLooking) this.#nextTurn(this.#look)
  }
}

import { adapterCases } from "holdfast/testing"
import { describe, expect, it } from "vitest"
import { loopbackLab } from "../../support/adapters-lab.js"

describe("K5: the adapter cases", () => {
  it("are fifty of behaviour and nineteen of fault, each named once", () => {
    const names = adapterCases.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(adapterCases.filter(({ needs }) => needs.length === 0).length).toBe(50)
    expect(adapterCases.filter(({ needs }) => needs.length > 0).length).toBe(19)
  })

  it("A10: have awkward names, long ones and lookalikes for every engine", () => {
    const names = adapterCases.filter(({ needs }) => needs.length === 0).map(({ name }) => name)
    const about = ["takes any name for a channel", "takes a name of 1,024 bytes", "takes no name for another"]
    expect(names).toEqual(expect.arrayContaining(about))
  })

  it("say which faults a lab lacks", async () => {
    const [faulty] = adapterCases.filter(({ needs }) => needs.includes("kill"))
    const { makeAdapter } = loopbackLab()
    await expect(faulty?.run({ makeAdapter })).rejects.toThrow("the lab lacks the faults kill")
  })
})

describe("an adapter of the loopback network", () => {
  it.each(adapterCases)("$name", ({ run }) => run(loopbackLab()))
})

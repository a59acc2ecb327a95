import { describe, expect, test, vi } from "vitest";
import { browserLanguage, language, locale, perLocale, pluralsOf, setLanguage } from "./locale";

const browse = (...languages: string[]) => vi.stubGlobal("navigator", { languages });

describe("the browser's language", () => {
  test.each([
    [["de-AT", "en-US"], "de"],
    [["fr-FR", "en-GB", "de"], "en"],
    [["fr-FR", "DE"], "de"],
    [["fa-IR"], "en"],
    [["not a tag", "de"], "de"],
    [[], "en"],
  ])("%j", (languages, expected) => {
    browse(...languages);
    expect(browserLanguage()).toBe(expected);
  });
});

describe("the locale of formats", () => {
  test("it is the browser's variety of the chosen language", () => {
    browse("en-GB", "de-CH", "de-DE");
    setLanguage("de");
    expect(language).toBe("de");
    expect(new Intl.Locale(locale).baseName).toBe("de-CH");
    setLanguage("en");
    expect(new Intl.Locale(locale).baseName).toBe("en-GB");
  });

  test("calendar and digits are always the same", () => {
    browse("en-US-u-ca-buddhist-nu-thai");
    setLanguage("en");
    const { calendar, numberingSystem } = new Intl.Locale(locale);
    expect([calendar, numberingSystem]).toEqual(["gregory", "latn"]);
  });

  test("a format is made once for each locale", () => {
    browse("en-US", "de-DE");
    const make = vi.fn((of: string) => new Intl.NumberFormat(of));
    const format = perLocale(make);
    const numbers = (["en", "de", "en", "de"] as const).map((each) => {
      setLanguage(each);
      return format().format(1234.5);
    });
    expect(numbers).toEqual(["1,234.5", "1.234,5", "1,234.5", "1.234,5"]);
    expect(make).toHaveBeenCalledTimes(2);
  });
});

test("only one is singular", () => {
  const forms = { one: "day", other: "days" };
  expect([0, 1, 2].map((count) => pluralsOf("en")(count, forms))).toEqual(["days", "day", "days"]);
});

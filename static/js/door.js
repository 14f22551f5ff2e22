// Reads the sampling time from the code of a proof. The code is read on this phone and forgotten;
// only the time that was found is put into the form. Without BarcodeDetector or a camera, the
// button stays hidden and the time is typed.
"use strict";

const HOUR = 3600e3;
const SHANGHAI = 8 * HOUR;
const WORDS = /采样|采集|sampl/i;
const MOMENT =
  /(20\d{2})\s*[-/.年]?\s*(\d{1,2})\s*[-/.月]?\s*(\d{1,2})\s*日?\s*[T ,，]?\s*(上午|下午|凌晨|晚上)?\s*(\d{1,2})\s*[:：时点]?\s*(\d{2})\s*分?(?:\s*[:：]?\s*\d{2}\s*秒?(?:\.\d+)?)?\s*(Z|[+-]\d{2}:?\d{2})?/g;

/** Return the moments of a text, in milliseconds, each with where it stands. */
const momentsOf = (text) =>
  [...text.matchAll(MOMENT)].flatMap((found) => {
    const [whole, year, month, day, half, hour, minute, zone] = found;
    const late = (half === "下午" || half === "晚上") && Number(hour) < 12 ? 12 : 0;
    const local = Date.UTC(year, month - 1, day, Number(hour) + late, minute);
    const read = new Date(local);
    const sound = read.getUTCMonth() === month - 1 && Number(hour) < 24 && Number(minute) < 60;
    if (!sound) return [];
    const offset = !zone ? SHANGHAI : zone === "Z" ? 0 : offsetOf(zone);
    return [{ at: local - offset, place: found.index, end: found.index + whole.length }];
  });

const offsetOf = (zone) => {
  const minutes = Number(zone.slice(1, 3)) * 60 + Number(zone.slice(-2));
  return (zone.startsWith("-") ? -1 : 1) * minutes * 60e3;
};

/**
 * Return when the sample was taken: the moment after 采样, else the earliest; null for none.
 * A number that only looks like a time (part of an ID number) lies far from now.
 */
const sampledAt = (text, now) => {
  const moments = momentsOf(text).filter(({ at }) => Math.abs(now - at) < 60 * 24 * HOUR);
  const said = text.search(WORDS);
  const named = said < 0 ? undefined : moments.find((moment) => moment.place >= said);
  const first = moments.map((moment) => moment.at).sort((one, other) => one - other)[0];
  return named?.at ?? first ?? null;
};

/** Return the day (0 today, 1 yesterday …) and the time of a moment, both in Shanghai. */
const onTheForm = (moment, now) => {
  const local = new Date(moment + SHANGHAI);
  const days = Math.floor((now + SHANGHAI) / (24 * HOUR)) - Math.floor((moment + SHANGHAI) / (24 * HOUR));
  return { days, time: local.toISOString().slice(11, 16), shown: local.toISOString().slice(0, 16).replace("T", " ") };
};

const scanner = (panel) => {
  const [button, video, said] = ["button", "video", "p"].map((name) => panel.querySelector(name));
  const form = panel.closest("form");
  const detector = new BarcodeDetector();
  // The portal's clock, not the phone's: the portal decides.
  const opened = Number(form.dataset.now) * 1000 - performance.now();
  let stream = null;

  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    video.hidden = true;
    button.querySelector("span").textContent = panel.dataset.open;
  };
  const say = (word, shown = "") => {
    said.textContent = panel.dataset[word].replace("{moment}", shown);
  };
  const enter = (text) => {
    const now = opened + performance.now();
    const moment = sampledAt(text, now);
    if (moment === null) return say("none");
    const { days, time, shown } = onTheForm(moment, now);
    if (moment > now) return say("future");
    const old = days > 3;
    form.querySelector(`[name=sampled_on][value="${old ? "" : days}"]`).checked = true;
    form.querySelector("[name=sampled_at]").value = old ? "" : time;
    say(old ? "old" : "found", shown);
    form.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const look = async () => {
    if (!stream) return;
    const [code] = await detector.detect(video).catch(() => []);
    if (!stream) return;
    if (!code) return void setTimeout(look, 150);
    stop();
    enter(code.rawValue);
  };
  button.addEventListener("click", async () => {
    if (stream) return stop();
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    } catch {
      return say("denied");
    }
    said.textContent = "";
    button.querySelector("span").textContent = panel.dataset.close;
    video.hidden = false;
    video.srcObject = stream;
    await video.play();
    look();
  });
  window.addEventListener("pagehide", stop);
  panel.hidden = false;
};

if ("BarcodeDetector" in window && navigator.mediaDevices?.getUserMedia) {
  document.querySelectorAll("[data-scan]").forEach(scanner);
}

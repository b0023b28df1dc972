// The camera: start it, take still frames from it, stop it, and say in plain words why it does not work.

const WHY = {
  NotAllowedError: "The camera is blocked for this page. Allow it in your browser's address bar, or use the other way below.",
  NotFoundError: "This device has no camera. Use the other way below.",
  NotReadableError: "Another program is using the camera. Close it and try again.",
  OverconstrainedError: "The camera cannot be used in the way this page needs. Use the other way below.",
};

/** A sentence for a failed `start`. */
export function why(error) {
  if (!navigator.mediaDevices) return "This browser gives no camera to this page. Use the other way below.";
  return WHY[error?.name] ?? "The camera could not be started. Use the other way below.";
}

/** Show the camera in a <video>; `facing` is "user" or "environment". Returns a function that stops it. */
export async function start(video, { facing = "environment", width = 1280, height = 720 } = {}) {
  const wish = { facingMode: { ideal: facing }, width: { ideal: width }, height: { ideal: height } };
  const stream = await navigator.mediaDevices.getUserMedia({ video: wish, audio: false });
  video.muted = true;
  video.playsInline = true;
  video.srcObject = stream;
  await video.play();
  return () => { for (const track of stream.getTracks()) track.stop(); video.srcObject = null; };
}

/** The current picture of a <video> on a canvas whose longer side is at most `longest` pixels. */
export function frame(video, longest = 1280) {
  const scale = Math.min(1, longest / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d", { willReadFrequently: true }).drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas;
}

/** A canvas as a JPEG blob. */
export function jpeg(canvas, quality = 0.9) {
  return new Promise((resolve, reject) => {
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("no picture"))), "image/jpeg", quality);
  });
}

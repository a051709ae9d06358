-- Where each sensor's stream stands behind the last chunk, so that a gateway that died can fetch what the sensor still
-- holds (session/rest.py): Bluetooth address to bookmark, as JSON.
ALTER TABLE session ADD COLUMN bookmarks TEXT;
